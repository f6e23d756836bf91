"""Texts that the agent does not say, whatever their case and punctuation and however their numbers are spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from voicebot.brain.guardrails.pii.numbers import Dictation, numerals
from voicebot.brain.guardrails.reading import Reading
from voicebot.brain.guardrails.ruling import Hit

LONGEST_TAIL = 24
"""Words of the clauses before that a text may have begun in."""


class NeverSay:
    """The forbidden texts and patterns, in their plain form."""

    def __init__(self, texts: Sequence[str], language: str) -> None:
        self._language = language
        self._patterns = [re.compile(each[1:-1], re.IGNORECASE) for each in texts if _is_regex(each)]
        self._patterns += [
            re.compile(rf"(?<!\S){re.escape(plain)}(?!\S)")
            for each in texts
            if not _is_regex(each) and (plain := " ".join(word for word, _, _ in self.plain(Reading(each))))
        ]

    def plain(self, reading: Reading) -> list[tuple[str, int, int]]:
        """(word, first token, one past the last) without signs; numbers in digits, one word each."""
        dictation, found, place = Dictation(reading, numerals(self._language)), list[tuple[str, int, int]](), 0
        while place < len(reading):
            token = reading.tokens[place]
            piece = None if token.isdigit() else dictation.piece(place, None)
            word, end = (piece.digits, piece.end) if piece else (token, place + 1)
            if word == "%":
                word = "percent"
            if word[0].isalnum():
                found.append((word, place, end))
            place = end
        return found

    def find(self, reading: Reading, tail: Sequence[str]) -> Iterator[Hit]:
        """What is forbidden in a clause, also when it began in the clauses before, whose last words are `tail`."""
        words = self.plain(reading)
        before = " ".join(tail)
        text = " ".join([*tail, *(word for word, _, _ in words)])
        offset = len(before) + 1 if before else 0
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                if match.end() <= offset or not match[0]:
                    continue
                first = text.count(" ", offset, max(match.start(), offset))
                last = text.count(" ", offset, match.end() - 1)
                start, end = reading.starts[words[first][1]], reading.ends[words[last][2] - 1]
                yield Hit("never_say", "never_say", start, end, 1.0)


def _is_regex(text: str) -> bool:
    return len(text) > 2 and text[0] == text[-1] == "/"


@lru_cache(maxsize=64)
def compiled(texts: tuple[str, ...], language: str) -> NeverSay:
    """The texts, compiled once a process."""
    return NeverSay(texts, language)
