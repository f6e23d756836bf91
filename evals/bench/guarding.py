"""How well the guardrails decide: labelled sentences in; recall, precision, false refusals and delays out.

A data file is a YAML list. Each item: `text`; `side`, who says it (caller, tool or agent); `expect`, what is in it
(`{pii: [card, ...]}`, `{injection: true}`, `{toxicity: true}`, or `{}` for an innocent sentence); for private data
`spans`, the substrings that must be gone from what goes on; and `language`, which is `en` unless it says otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voicebot.agent.guardrails import Guardrails, PiiKind
from voicebot.brain.guardrails import Guard, Ruling
from voicebot.errors import BadInput

FEW = 10
"""Fewer sentences of a kind say little about it."""
EVERYTHING = Guardrails.model_validate({"pii": "redact", "toxicity": "block", "injection": "block"})
Side = Literal["caller", "tool", "agent"]


class Expected(BaseModel):
    """What is in a sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pii: tuple[PiiKind, ...] = ()
    injection: bool = False
    toxicity: bool = False


class Sentence(BaseModel):
    """One labelled text."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: str = Field(min_length=1)
    side: Side = "caller"
    expect: Expected = Expected()
    spans: tuple[str, ...] = ()
    language: str = "en"

    @property
    def is_innocent(self) -> bool:
        return not (self.expect.pii or self.expect.injection or self.expect.toxicity)


@dataclass(frozen=True)
class Judged:
    """A sentence and what the guard made of it."""

    sentence: Sentence
    ruling: Ruling
    ms: float

    @property
    def rails(self) -> frozenset[str]:
        return frozenset(hit.rail for hit in self.ruling.hits)

    @property
    def private(self) -> frozenset[str]:
        """The kinds of private data that were found."""
        return frozenset(hit.kind for hit in self.ruling.hits if hit.rail == "pii")

    @property
    def is_hidden(self) -> bool:
        """Whether nothing private is left: every span gone, or without spans a kind of each found."""
        spans = self.sentence.spans
        if spans:
            return not any(span in self.ruling.text for span in spans)
        return set(self.sentence.expect.pii) <= self.private

    @property
    def is_refused(self) -> bool:
        return self.ruling.action in ("block", "hand_over")

    @property
    def is_changed(self) -> bool:
        """Whether words were taken out although the sentence goes on."""
        return not self.is_refused and self.ruling.text != self.sentence.text


@dataclass(frozen=True)
class Score:
    """One kind of thing: how much of it was caught, and how much of what was caught is it."""

    rail: str
    kind: str
    n: int
    caught: int
    wrongly: int

    @property
    def recall(self) -> float | None:
        return self.caught / self.n if self.n else None

    @property
    def precision(self) -> float | None:
        return self.caught / (self.caught + self.wrongly) if self.caught + self.wrongly else None


@dataclass(frozen=True)
class Report:
    """All sentences of a run."""

    judged: tuple[Judged, ...]

    @property
    def scores(self) -> list[Score]:
        kinds = sorted({kind for each in self.judged for kind in each.sentence.expect.pii})
        return [self._pii(), *map(self._pii_kind, kinds), self._rail("injection"), self._rail("toxicity")]

    @property
    def innocent(self) -> list[Judged]:
        return [each for each in self.judged if each.sentence.is_innocent]

    @property
    def refused(self) -> list[Judged]:
        """Innocent sentences that were not answered."""
        return [each for each in self.innocent if each.is_refused]

    @property
    def changed(self) -> list[Judged]:
        """Innocent sentences that went on with words taken out."""
        return [each for each in self.innocent if each.is_changed]

    @property
    def delays_ms(self) -> list[float]:
        return [each.ms for each in self.judged]

    @property
    def missed(self) -> list[tuple[str, Judged]]:
        """(what was in it, the sentence) of everything that was not caught."""
        found: list[tuple[str, Judged]] = []
        for each in self.judged:
            expect = each.sentence.expect
            if expect.pii and not each.is_hidden:
                found.append((", ".join(expect.pii), each))
            found += [
                (rail, each) for rail in ("injection", "toxicity") if getattr(expect, rail) and rail not in each.rails
            ]
        return found

    def _pii(self) -> Score:
        rows = [each for each in self.judged if each.sentence.expect.pii]
        wrongly = [each for each in self.judged if not each.sentence.expect.pii and each.private]
        return Score("pii", "all", len(rows), sum(each.is_hidden for each in rows), len(wrongly))

    def _pii_kind(self, kind: PiiKind) -> Score:
        rows = [each for each in self.judged if kind in each.sentence.expect.pii]
        wrongly = [each for each in self.judged if kind in each.private and kind not in each.sentence.expect.pii]
        return Score("pii", kind, len(rows), sum(each.is_hidden for each in rows), len(wrongly))

    def _rail(self, rail: str) -> Score:
        rows = [each for each in self.judged if getattr(each.sentence.expect, rail)]
        wrongly = [each for each in self.judged if rail in each.rails and not getattr(each.sentence.expect, rail)]
        return Score(rail, "all", len(rows), sum(rail in each.rails for each in rows), len(wrongly))


def own() -> list[Sentence]:
    """The sentences that come with voicebot. The rules were written with them in view."""
    files = sorted(resources.files("voicebot.evals.guardrails").iterdir(), key=lambda each: each.name)
    texts = [(each.name, each.read_text(encoding="utf-8")) for each in files if each.name.endswith(".yaml")]
    return [row for name, text in texts for row in parse(text, name)]


def load(path: Path) -> list[Sentence]:
    """The sentences of a file, or of all YAML files of a folder. Raises BadInput."""
    files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    if not files:
        raise BadInput(f"{path}: no YAML file in this folder.")
    try:
        return [row for file in files for row in parse(file.read_text(encoding="utf-8"), str(file))]
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from None


def parse(text: str, shown: str) -> list[Sentence]:
    """The sentences of one file. Raises BadInput that names the item."""
    try:
        items: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{shown}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(items, list):
        raise BadInput(f"{shown}: a list is expected, each item with 'text', 'side' and 'expect'.")
    return [_sentence(item, f"{shown}: item {number}") for number, item in enumerate(items, 1)]


def _sentence(item: Any, shown: str) -> Sentence:
    try:
        sentence = Sentence.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the item"
        raise BadInput(f"{shown}: {place}: {first['msg']}.") from None
    missing = next((span for span in sentence.spans if span not in sentence.text), None)
    if missing is not None:
        raise BadInput(f"{shown}: the span '{missing}' is not in the text.")
    return sentence


def measure(sentences: Iterable[Sentence], settings: Guardrails = EVERYTHING) -> Report:
    """Each sentence on its own, as the first of a call, through every rail."""
    sentences = list(sentences)
    _warm(settings, sentences)
    return Report(tuple(_judged(each, settings) for each in sentences))


def _warm(settings: Guardrails, sentences: Sequence[Sentence]) -> None:
    """Compile the rules of each language, which happens once a process and not in a turn."""
    for language in {each.language for each in sentences}:
        Guard(settings, language).load()


def _judged(sentence: Sentence, settings: Guardrails) -> Judged:
    guard = Guard(settings, sentence.language)
    began = time.thread_time()
    if sentence.side == "caller":
        ruling = guard.caller(sentence.text)
    elif sentence.side == "agent":
        ruling = guard.agent(sentence.text)
    else:
        ruling = guard.result("tool", sentence.text)
    return Judged(sentence, ruling, (time.thread_time() - began) * 1000)
