"""What the words around a number say that it is: "my card number is ...", "... is my social"."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from importlib import resources

import yaml

from voicebot.brain.guardrails.reading import Reading

BEFORE, AFTER = 14, 8
"""How many tokens away a cue may stand."""
_NUMBER = frozenset("number numbers no nr num nummer numero telnr".split())
_NEUTRAL = frozenset(
    "the a an is this that same of what what's which right wrong whole full for and in any one".split()
)


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    data: dict[str, str] = yaml.load((resources.files(__package__) / "cues.yaml").read_bytes(), yaml.CSafeLoader)
    return {name: frozenset(line.split()) for name, line in data.items()}


@lru_cache(maxsize=1)
def _kinds() -> dict[str, str]:
    kinds = ("other", "card", "ssn", "phone", "iban", "email", "birth")
    return {word: kind for kind in kinds for word in _words()[kind]}


class Cues:
    """The cues of one text."""

    def __init__(self, reading: Reading) -> None:
        self._found: list[tuple[int, str]] = []
        kinds = _kinds()
        for place, raw in enumerate(reading.tokens):
            word = raw.removesuffix("'s")
            kind = kinds.get(word, "")
            if kind or word in _NUMBER or word in ("social", "b", "n", "ne") or word.endswith("nummer"):
                kind = self._in_context(reading, place, word, kind)
            if kind:
                self._found.append((place, kind))

    def _in_context(self, reading: Reading, place: int, word: str, kind: str) -> str:
        before, after = reading.token(place - 1), reading.token(place + 1)
        if kind == "card" and before in _words()["not_card"]:
            return "other"
        if word == "social":
            return "" if after in _words()["not_ssn"] else "ssn"
        if word in _NUMBER:
            return self._of_number(before, place)
        if word == "code" and before == "area":
            return "phone"
        if word == "n":
            return "ssn" if (reading.token(place - 2), before) == ("s", "s") else ""
        if word == "ne":
            return "birth" if after in ("le", "en") else ""
        if word == "b":
            return "birth" if (reading.token(place - 2), before) == ("d", "o") else ""
        if word == "text" and before in ("the", "this", "a"):
            return ""
        return kind or "other"

    def _of_number(self, before: str, place: int) -> str:
        if self._found and self._found[-1][0] in (place - 1, place - 2):
            return self._found[-1][1]
        if before in _words()["possessive"]:
            return "phone"
        return "" if before in _NEUTRAL or not before.isalpha() else "other"

    def near(self, first: int, end: int) -> str:
        """The kind of the nearest cue before these tokens, else of the nearest one behind them; '' without any."""
        before = bisect_left(self._found, (first, "")) - 1
        if before >= 0 and first - self._found[before][0] <= BEFORE:
            return self._found[before][1]
        after = bisect_left(self._found, (end, ""))
        return self._found[after][1] if after < len(self._found) and self._found[after][0] <= end + AFTER else ""

    def any(self, *kinds: str) -> bool:
        """Whether there is a cue of one of these kinds anywhere."""
        return any(kind in kinds for _, kind in self._found)

    @property
    def last(self) -> str:
        return self._found[-1][1] if self._found else ""

    def places(self, kind: str) -> list[int]:
        return [place for place, each in self._found if each == kind]
