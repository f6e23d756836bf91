"""Joins the words of a model that goes on with an answer to those of the one that broke off.

The second model is told where the first one stopped, but models like to begin the sentence once more. So its words
are held back as long as they may be a repetition of the last ones said; what was said already is not said again.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\S+")
_CLOSING = ".,;:!?…)]}»”’%"  # noqa: RUF001 - typographic quotes are meant
"""What stands behind a word without a blank."""


class Seam:
    """Concatenated, what it gives back is what is to be said behind `said`."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._tails = [_letters(said[word.start() :]) for word in _WORD.finditer(said)]
        """What may be repeated: `said` from each of its words on, the longest first."""
        self._held = ""
        self._joined = False

    def feed(self, text: str) -> str:
        """More of what the second model says -> what of it can be said now."""
        if self._joined:
            return text
        self._held += text
        begun = _letters(self._held)
        if any(tail.startswith(begun) for tail in self._tails):
            return ""  # may be a repetition, of which the end is still to come
        return self._join()

    def end(self) -> str:
        """The second model has finished -> what is left."""
        return "" if self._joined else self._join()

    def _join(self) -> str:
        self._joined = True
        begun = _letters(self._held)
        repeated = next((len(tail) for tail in self._tails if tail and begun.startswith(tail)), 0)
        rest = _behind(self._held, repeated)
        if repeated and rest[:1].isalnum():
            return rest  # the first model stopped in the middle of this word
        if repeated and not self._said.rstrip()[-1:].isalnum():
            rest = rest.lstrip(_CLOSING)
        if not rest or rest[0].isspace() or rest[0] in _CLOSING or self._said[-1:].isspace():
            return rest
        return f" {rest}"


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _behind(text: str, letters: int) -> str:
    """What follows the first so many letters."""
    for index, character in enumerate(text):
        if not letters:
            return text[index:]
        letters -= len(_letters(character))
    return ""
