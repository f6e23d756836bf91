"""An utterance as words, with spoken numbers written in digits; and what was found in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from text_to_num import find_numbers


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


TAKEN = "§"
"""Stands for a word that a mention has already used."""


def whole_words(pattern: str) -> re.Pattern[str]:
    """A pattern that begins and ends where words do."""
    return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")


_PRONOUN_ONE_AFTER = words(
    "first second third fourth fifth last another this that which any earlier later other same the every each earliest "
    "latest cheapest next new good better different"
)
_PRONOUN_ONE_BEFORE = words("moment second more of minute sec")


@dataclass(frozen=True)
class Mention:
    """A value somebody said: its kind, the words it was made of, and whether it was said to be wrong."""

    kind: str
    """The slot type it fits: date, time, number, money, phone, name, choice, code."""
    value: Any
    """JSON, as the tools get it; None where `options` hold several readings."""
    start: int
    end: int
    sure: bool = True
    """False for something that only means this kind when it was asked for ("two" as a time)."""
    negated: bool = False
    """The caller said it is not this ("not tuesday")."""
    options: tuple[Any, ...] = ()
    """Readings between which the caller must choose."""


@dataclass(frozen=True)
class Utterance:
    """What was said: `raw` as heard, `tokens` lower-case without punctuation and with numbers in digits."""

    raw: str
    tokens: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, raw: str) -> Utterance:
        return cls(raw, tuple(_in_digits(_spoken_words(raw))))

    @cached_property
    def text(self) -> str:
        return " ".join(self.tokens)

    def without(self, mentions: Iterable[Mention]) -> Utterance:
        """The same utterance with the words of these mentions blanked; positions stay as they are."""
        left = list(self.tokens)
        for mention in mentions:
            left[mention.start : mention.end] = [TAKEN] * (mention.end - mention.start)
        return Utterance(self.raw, tuple(left))

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, re.Match[str]]]:
        """Matches of a `whole_words` pattern, as (first token, one past the last token, match)."""
        for match in pattern.finditer(self.text):
            start = self.text.count(" ", 0, match.start())
            yield start, start + match[0].count(" ") + 1, match


def _spoken_words(raw: str) -> list[str]:
    """Lower-case words; clock times, decimals and dates in digits stay whole."""
    text = raw.lower().replace("\u2019", "'")
    text = re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", text)
    text = re.sub(r"(\d)\s*([ap]m)\b", r"\1 \2", text)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<=\d)\.(?=\d\d?\b)", "§DOT§", text)
    text = re.sub(r"(?<=\d)([:/])(?=\d)", r"§\1§", text)
    text = re.sub(r"(?<=\b\d{4})-(\d\d)-(?=\d\d\b)", r"§-§\1§-§", text)
    text = re.sub(r"[^\w'$€£+§:/-]|_|(?<!§)[:/-](?!§)", " ", text)
    text = re.sub(r"([$€£])", r" \1 ", text)
    text = text.replace("§DOT§", ".").replace("§dot§", ".").replace("§", "")
    return [word for word in (each.strip("'") for each in text.split()) if word]


class _Token:
    """What text2num wants to see of a word."""

    def __init__(self, word: str, is_number_word: bool) -> None:
        self._word, self._is_number_word = word, is_number_word

    def text(self) -> str:
        return self._word

    def text_lower(self) -> str:
        return self._word

    def nt_separated(self, _previous: object) -> bool:
        return not self._is_number_word

    def not_a_number_part(self) -> bool:
        return not self._is_number_word


def _in_digits(heard: list[str]) -> list[str]:
    """Spoken numbers in digits: "half past two" -> "half past 2", "the twenty first" -> "the 21st"."""
    tokens = [_Token(word, not _is_no_number(heard, place)) for place, word in enumerate(heard)]
    written = list(heard)
    for number in reversed(find_numbers(tokens, "en", threshold=0.0)):
        written[number.start : number.end] = [number.text]
    return written


def _is_no_number(heard: list[str], place: int) -> bool:
    """The "one" of "the second one" is no number; nor is the "second" of "a second", nor the letter o."""
    word = heard[place]
    before = heard[place - 1] if place else ""
    after = heard[place + 1] if place + 1 < len(heard) else ""
    if word == "one":
        return before in _PRONOUN_ONE_AFTER or after in _PRONOUN_ONE_BEFORE
    if word == "o":
        return True
    return word == "second" and before in ("a", "one", "just", "per") and after not in ("of", "one")
