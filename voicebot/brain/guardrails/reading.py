"""A text as the rules read it: plain lower-case tokens, each of which knows where it stands in the text.

Reading undoes what hides a word from a rule but not from a person: accents, typographic forms, letters of other
scripts that look Latin, and characters without any width.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from functools import cached_property, lru_cache

_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|\S")
_LOOKALIKES = dict(zip(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0501\u043a\u043c\u0442\u043d\u0432\u0458\u04bb"
    "\u03bf\u03b1\u03b5\u03b9\u03bd\u03c1\u03c4\u03c5\u03ba\u03c7\u0131\u0261",
    "aeopcyxisdkmthbjhoaeivptukxig", strict=False))  # fmt: skip
"""Cyrillic and Greek letters that are taken for Latin ones, written as code points so that they can be told apart."""
_PLAIN = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
          "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u00df": "ss"}  # fmt: skip


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """A character as the rules know it; nothing for one that cannot be seen."""
    if character in _PLAIN:
        return _PLAIN[character]
    if unicodedata.category(character) == "Cf":
        return ""
    if character.isdigit():
        return str(unicodedata.digit(character))
    letters = unicodedata.normalize("NFKD", character).lower()
    return "".join(_LOOKALIKES.get(each, each) for each in letters if not unicodedata.combining(each))


def fold(text: str) -> str:
    """The text as the rules know it: "Übernahme" is "ubernahme"."""
    return text.lower() if text.isascii() else "".join(map(_fold, text))


class Reading:
    """The tokens of a text: words, groups of digits, and single signs."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        clean, places = _cleaned(raw)
        self.tokens: list[str] = []
        self.starts: list[int] = []
        """First character of each token in `raw`."""
        self.ends: list[int] = []
        """One past its last character."""
        for match in _TOKEN.finditer(clean):
            first, last = match.start(), match.end() - 1
            self.tokens.append(match[0])
            self.starts.append(places[first] if places else first)
            self.ends.append((places[last] if places else last) + 1)

    def __len__(self) -> int:
        return len(self.tokens)

    def token(self, place: int) -> str:
        """The token at a place, or nothing beyond the ends."""
        return self.tokens[place] if 0 <= place < len(self.tokens) else ""

    def glued(self, place: int) -> bool:
        """Whether nothing stands between this token and the one before it."""
        return 0 < place < len(self.tokens) and self.ends[place - 1] == self.starts[place]

    def new_line(self, place: int) -> bool:
        """Whether this token begins a line of its own."""
        return 0 < place < len(self.tokens) and "\n" in self.raw[self.ends[place - 1] : self.starts[place]]

    def clean_between(self, first: int, end: int) -> str:
        """The folded text of the tokens from `first` up to `end`, with what stands between them."""
        return fold(self.raw[self.starts[first] : self.ends[end - 1]])

    def at(self, start: int, end: int) -> tuple[int, int]:
        """The tokens within these characters: (first, one past the last)."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end)

    @cached_property
    def words(self) -> list[int]:
        """The places of all tokens that are words or numbers, no signs."""
        return [place for place, token in enumerate(self.tokens) if token[0].isalnum()]


def _cleaned(raw: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place in `raw`; no places when nothing moved."""
    if raw.isascii():
        return raw.lower(), []
    clean: list[str] = []
    places: list[int] = []
    for place, character in enumerate(raw):
        folded = character.lower() if character.isascii() else _fold(character)
        clean.append(folded)
        places.extend([place] * len(folded))
    return "".join(clean), places
