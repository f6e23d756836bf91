"""Finding fixed phrases in an utterance: the longest one wins, each word is used once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .text import Utterance


@dataclass(frozen=True)
class Found:
    label: str
    start: int
    end: int


class PhraseBook:
    """Phrases by label. They are normalised like utterances are, so "half past 2" finds "half past two"."""

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        self._labels: dict[tuple[str, ...], str] = {}
        for label, sayings in phrases.items():
            for saying in sayings:
                self._labels.setdefault(Utterance.of(saying).tokens, label)
        self._longest = max(map(len, self._labels), default=0)

    def find(self, utterance: Utterance) -> list[Found]:
        """The phrases in it, from left to right."""
        found = []
        tokens, place = utterance.tokens, 0
        while place < len(tokens):
            hit = self._at(tokens, place)
            if hit:
                found.append(hit)
            place = hit.end if hit else place + 1
        return found

    def _at(self, tokens: tuple[str, ...], place: int) -> Found | None:
        for length in range(min(self._longest, len(tokens) - place), 0, -1):
            label = self._labels.get(tokens[place : place + length])
            if label is not None:
                return Found(label, place, place + length)
        return None
