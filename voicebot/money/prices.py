"""What providers charge, by dated tables: the one that ships, and `prices.yaml` of a project, which goes before it.

    table = prices(project)
    table.model("openai/gpt-4.1-mini")          # for tokens
    table.speech("stt", "deepgram/nova-3")      # for seconds and characters
    table.line("twilio")                        # for minutes on the telephone

All answer None for what has no price: nobody shall take a part of a cost for the whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from voicebot import providers, validation, yamlfile

FILE = "prices.yaml"
"""Of a project, in its folder."""
ANY = "*"
"""Stands for all models of a provider that are not named."""
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
"""The date at the end of a model's name: 'gpt-4.1-mini-2025-04-14' costs what 'gpt-4.1-mini' does."""

Dollars = Annotated[float, Field(ge=0)]
SpeechKind = Literal["stt", "tts"]


@dataclass(frozen=True)
class Tokens:
    """What one answer used. `input` holds the other two kinds of input."""

    input: int
    output: int
    cached: int = 0
    cache_written: int = 0


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Part):
    """US dollars for a million tokens."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    """Input that the provider had in its cache; None: it costs like any other."""
    cache_write: Dollars | None = None
    """Input that it put into its cache; None: it costs like any other."""
    longest_prompt: int | None = None
    """Tokens of input up to which this price holds."""

    def cost_usd(self, tokens: Tokens) -> float | None:
        """None for a prompt that is longer than the price goes."""
        if self.longest_prompt is not None and tokens.input > self.longest_prompt:
            return None
        fresh = tokens.input - tokens.cached - tokens.cache_written
        dollars = (
            fresh * self.input
            + tokens.cached * (self.input if self.cached is None else self.cached)
            + tokens.cache_written * (self.input if self.cache_write is None else self.cache_write)
            + tokens.output * self.output
        )
        return dollars / 1_000_000


def _one_of_two(price: SpeechPrice) -> SpeechPrice:
    if (price.minute is None) == (price.thousand_characters is None):
        raise ValueError("say either 'minute' or 'thousand_characters'.")
    return price


class SpeechPrice(_Part):
    """US dollars for what a recogniser hears, or a voice says: by one of the two."""

    minute: Dollars | None = None
    """Of audio."""
    thousand_characters: Dollars | None = None
    """Of text."""

    def cost_usd(self, seconds: float = 0.0, characters: int = 0) -> float:
        return (self.minute or 0.0) * seconds / 60 + (self.thousand_characters or 0.0) * characters / 1000


class _Page(_Part):
    """Of one provider."""

    as_of: date
    """When it was looked up."""
    source: str = ""
    uncertain: str = ""
    """Why it may be wrong."""


class ModelPage(_Page):
    models: dict[str, Price]


class SpeechPage(_Page):
    models: dict[str, Annotated[SpeechPrice, AfterValidator(_one_of_two)]]


class LinePage(_Page):
    """US dollars for a minute of a telephone call."""

    minute: Dollars

    def cost_usd(self, seconds: float) -> float:
        """A minute begun is a minute billed."""
        return self.minute * math.ceil(seconds / 60)


class Free(_Part):
    llm: list[str] = Field(default=[])
    stt: list[str] = Field(default=[])
    tts: list[str] = Field(default=[])


class PriceFile(_Part):
    """One file of prices. Each key is a kind of provider, then the provider's name, then its models."""

    free: Free = Free()
    """Providers that cost nothing."""
    llm: dict[str, ModelPage] = Field(default={})
    stt: dict[str, SpeechPage] = Field(default={})
    tts: dict[str, SpeechPage] = Field(default={})
    telephony: dict[str, LinePage] = Field(default={})


FREE = Price(input=0.0, output=0.0)
FREE_SPEECH = SpeechPrice(minute=0.0)

Found = TypeVar("Found")


@dataclass(frozen=True)
class Prices:
    """Tables, the one that counts first."""

    tables: tuple[PriceFile, ...]

    def model(self, name: str) -> Price | None:
        """The price of 'provider/model'."""
        provider, _, model = name.partition("/")
        pages = [table.llm.get(provider) for table in self.tables]
        named = _first([page.models for page in pages if page], model)
        return named or (FREE if self._is_free("llm", provider) else None)

    def speech(self, kind: SpeechKind, name: str) -> SpeechPrice | None:
        """The price of 'provider', 'provider/model' or 'provider/model:voice'."""
        provider, _, model = name.partition("/")
        tables = [table.stt if kind == "stt" else table.tts for table in self.tables]
        pages = [table.get(provider) for table in tables]
        named = _first([page.models for page in pages if page], model.partition(":")[0])
        return named or (FREE_SPEECH if self._is_free(kind, provider) else None)

    def line(self, transport: str) -> LinePage | None:
        """The price of a call over this transport; None also where no telephone is in play."""
        return next((table.telephony[transport] for table in self.tables if transport in table.telephony), None)

    def _is_free(self, kind: Literal["llm", "stt", "tts"], provider: str) -> bool:
        if any(provider in getattr(table.free, kind) for table in self.tables):
            return True
        return any((one.kind, one.name) == (kind, provider) and one.offline for one in providers.providers())


def _first(tables: list[Mapping[str, Found]], model: str) -> Found | None:
    """Of the first table that has the model, or what it is a snapshot of, or a price for all."""
    for table in tables:
        for name in (model, _SNAPSHOT.sub("", model), ANY):
            if name in table:
                return table[name]
    return None


def prices(root: Path | None = None) -> Prices:
    """The prices that hold in the project `root`. Raises BadInput for a file of prices that is wrong."""
    own = root / FILE if root else None
    if own is None or not own.is_file():
        return Prices((shipped(),))
    return Prices((_read(own, own.stat().st_mtime_ns), shipped()))


@cache
def shipped() -> PriceFile:
    """The table that comes with voicebot."""
    text = (files(__package__) / FILE).read_text(encoding="utf-8")
    return validation.build(yamlfile.parse(text, FILE), PriceFile)


@lru_cache(maxsize=16)
def _read(path: Path, changed: int) -> PriceFile:
    """Once for each version of the file."""
    return validation.build(yamlfile.read(path), PriceFile)
