"""What the tokens of a language model cost, by the dated table in prices.yaml; a model not in it has no price."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
"""The date at the end of a model's name: 'gpt-4.1-mini-2025-04-14' costs what 'gpt-4.1-mini' does."""


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None
    """Input that the provider had in its cache; None: it costs like any other."""
    cache_write: float | None = None
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


@dataclass(frozen=True)
class Tokens:
    """What one answer used. `input` holds the other two kinds of input."""

    input: int
    output: int
    cached: int = 0
    cache_written: int = 0


FREE = Price(0.0, 0.0)


def price(model: str) -> Price | None:
    """The price of 'provider/model'; None when it is not known."""
    provider, _, name = model.partition("/")
    table, free = _table()
    if provider in free:
        return FREE
    return table.get(model) or table.get(f"{provider}/{_SNAPSHOT.sub('', name)}")


@cache
def _table() -> tuple[dict[str, Price], frozenset[str]]:
    read = yaml.safe_load((files("voicebot.llm") / "prices.yaml").read_text(encoding="utf-8"))
    found = {
        f"{provider}/{name}": Price(**values)
        for provider, page in read["providers"].items()
        for name, values in page["models"].items()
    }
    return found, frozenset(read["free"])
