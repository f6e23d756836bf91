"""Cuts a reply, as it is written, into clauses that can be spoken at once.

The first clause leaves as early as it sounds natural, since the caller waits for it; the later ones are whole
sentences, since prosody is better over a sentence and nobody waits.
"""

from __future__ import annotations

import re

_FIRST_MIN_CHARS = 12
"""A first clause that ends at a comma or dash is at least this long: 'Well,' alone sounds chopped."""
_MIN_CHARS = 2

_BREAK = re.compile(r"[.!?…]+[\"')\]”’]*(?=\s)|\n|[,;:](?=\s)|(?<=\s)[-–](?=\s)|—")
_SENTENCE = re.compile(r"\w[.!?…]+[\"')\]”’]*\s*$")
_TO_NEXT = re.compile(r"\s*(?=\S)")
_ABBREVIATIONS = frozenset("dr mr mrs ms prof st sr jr vs approx dept est ave blvd rd apt e.g i.e cf".split())
_BEFORE_A_NUMBER = frozenset(
    (
        "no nos ext fig jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun"
    ).split()
)


class Clauses:
    """Splits one reply. `"".join` of everything it gives back is the text it was fed, blanks included.

    Where it cuts does not depend on how the text was chunked: a cut waits for the character that decides it.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """The next characters of the reply -> the clauses they complete."""
        self._pending += text
        clauses = []
        while (cut := self._cut()) is not None:
            clauses.append(self._pending[:cut])
            self._pending = self._pending[cut:]
            self._first = False
        return clauses

    def flush(self) -> list[str]:
        """The reply is over -> what is left, if anything. The next `feed` begins a new reply."""
        rest, self._pending, self._first = self._pending, "", True
        return [rest] if rest else []

    def sentence(self) -> str:
        """What is left, if it is a whole sentence as far as one can tell; else ''. For a reply that has got stuck."""
        if not _SENTENCE.search(self._pending):
            return ""
        whole, self._pending, self._first = self._pending, "", False
        return whole

    def _cut(self) -> int | None:
        """Where the first clause of the pending text ends: behind the blanks that follow it."""
        for found in _BREAK.finditer(self._pending):
            decided = _TO_NEXT.match(self._pending, found.end())
            if decided is None:
                return None
            if self._ends(found, following=self._pending[decided.end()]):
                return decided.end()
        return None

    def _ends(self, found: re.Match[str], following: str) -> bool:
        before = self._pending[: found.start()].strip()
        mark = found.group()[0]
        if mark in ".!?…\n":
            return len(before) >= _MIN_CHARS and not (mark == "." and _goes_on(before, following))
        return self._first and len(before) >= (_MIN_CHARS if mark in ";:" else _FIRST_MIN_CHARS)


def _goes_on(before: str, following: str) -> bool:
    """Whether the full stop after `before` is only that of an abbreviation: "Dr.", "p.m.", the "J." of a name."""
    if following.islower():
        return True
    words = before.split()
    word = words[-1].lstrip("(\"'“‘").lower() if words else ""
    initial = len(word) == 1 and word.isalpha() and word != "i"
    return initial or word in _ABBREVIATIONS or (word in _BEFORE_A_NUMBER and following.isdigit())
