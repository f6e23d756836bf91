"""Which words of a growing transcript can be shown: those that two readings in a row agree on.

A recogniser that reads the same speech again and again, each time with a little more of it, changes its mind about the
newest words. Local agreement (Liu et al., 2020; Macháček et al., 2023) shows a word once it has been read twice.
"""

from __future__ import annotations

from itertools import takewhile


class Agreement:
    """The readings of one window of speech."""

    def __init__(self) -> None:
        self._last: list[str] = []
        self._stable: list[str] = []

    def read(self, text: str) -> str:
        """The newest reading -> the words that are stable. They never become fewer."""
        words = text.split()
        pairs = zip(words, self._last, strict=False)
        agreed = sum(1 for _ in takewhile(lambda pair: _plain(pair[0]) == _plain(pair[1]), pairs))
        if agreed >= len(self._stable):
            self._stable = words[:agreed]
        self._last = words
        return " ".join(self._stable)


def _plain(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())
