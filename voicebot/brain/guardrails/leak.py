"""Recitals of the agent's own prompt: many words in the order in which they stand in one of its directions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from voicebot.brain.guardrails.reading import Reading

LENGTH = 7
"""Words in a row that are hardly said by chance."""
_DIRECTS = re.compile(
    r"\b(?:you(?:r|'re)?|never|always|must|don't|do not|only|if (?:the|a) (?:caller|user|customer)|"
    r"du|sie|nie|vous|tu|usted|lei|voce)\b",
    re.IGNORECASE,
)
"""A sentence of the prompt that directs the agent is its secret; a fact in it (opening hours) may well be said."""


@lru_cache(maxsize=16)
def secrets(texts: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """All sequences of LENGTH words in the directions of these texts."""
    found: set[tuple[str, ...]] = set()
    for text in texts:
        for sentence in re.split(r"(?<=[.!?:])\s|\n", text):
            if _DIRECTS.search(sentence):
                words = plain(Reading(sentence))
                found.update(tuple(words[place : place + LENGTH]) for place in range(len(words) - LENGTH + 1))
    return frozenset(found)


def plain(reading: Reading) -> list[str]:
    return [reading.tokens[place] for place in reading.words]


def recites(words: Sequence[str], known: frozenset[tuple[str, ...]]) -> bool:
    """Whether these words hold a sequence of the secrets."""
    return any(tuple(words[place : place + LENGTH]) in known for place in range(len(words) - LENGTH + 1))
