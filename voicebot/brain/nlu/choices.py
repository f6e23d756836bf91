"""One of a few things, by name, by synonym, or nearly so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz

from .phrases import PhraseBook
from .text import TAKEN, Mention, Utterance

CLOSE = 86
"""rapidfuzz ratio (0 to 100) from which a misheard word is taken for a value."""
MARGIN = 6
"""How much closer it must be than any other value."""
SHORTEST = 5
"""Letters below which nothing is guessed from likeness."""


class Choices:
    """The values of a choice slot with their synonyms."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        sayings = {value: [value, *synonyms] for value, synonyms in values.items()}
        self._book = PhraseBook(sayings)
        self._near = [(Utterance.of(each).text, value) for value, ways in sayings.items() for each in ways]

    def find(self, utterance: Utterance) -> list[Mention]:
        """Values said exactly; if there is none, the one that is clearly nearest to some of the words."""
        exact = [Mention("choice", hit.label, hit.start, hit.end) for hit in self._book.find(utterance)]
        return exact or self._nearly(utterance)

    def _nearly(self, utterance: Utterance) -> list[Mention]:
        best: dict[str, tuple[float, int, int]] = {}
        for saying, value in self._near:
            if len(saying) < SHORTEST:
                continue
            width = saying.count(" ") + 1
            for start in range(len(utterance.tokens) - width + 1):
                words = utterance.tokens[start : start + width]
                score = 0.0 if TAKEN in words else fuzz.ratio(" ".join(words), saying, score_cutoff=CLOSE)
                if score > best.get(value, (0.0, 0, 0))[0]:
                    best[value] = (score, start, start + width)
        ranked = sorted(best.items(), key=lambda each: -each[1][0])
        if not ranked or (len(ranked) > 1 and ranked[0][1][0] - ranked[1][1][0] < MARGIN):
            return []
        value, (_, start, end) = ranked[0]
        return [Mention("choice", value, start, end)]
