"""What the finders look at: one text, the numbers and cues in it, and what the call has said before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from voicebot.agent.guardrails import PiiKind
from voicebot.brain.guardrails.pii.cues import Cues
from voicebot.brain.guardrails.pii.numbers import Dictation, Numerals, Run, runs
from voicebot.brain.guardrails.reading import Reading

Side = Literal["caller", "results", "agent"]
REGIONS = {
    "en": ("US", "GB", "AU"), "de": ("DE", "AT", "CH"), "es": ("ES", "MX"), "fr": ("FR", "BE", "CH"), "it": ("IT",),
    "nl": ("NL", "BE"), "pt": ("PT", "BR"),
}  # fmt: skip
_NUMBERS = ("card", "ssn", "iban", "phone", "birth", "other")
"""What a number can have been asked for as."""
MOST_BESIDE, MOST_BEHIND = 8, 4
"""Polite words beside a bare answer, and behind a number that is still being dictated."""
POLITE = frozenset(
    "it's its it is that's thats that the my yes yeah yep sure ok okay so um uh er and of course no problem here you "
    "go please thanks thank well right alright number sorry then i think be would will next rest hello hi ja es ist "
    "die der das si es el la oui c'est le".split()
)
"""Words that may stand beside a bare answer."""


@dataclass(frozen=True)
class Private:
    """A private value at `start` to `end` (characters) of the text."""

    kind: PiiKind
    value: str
    """As a tool wants it: bare digits, E.164, an address in lower case; what was said where there is no such form."""
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Tail:
    """The number that somebody had begun when they last stopped speaking."""

    pieces: tuple[str, ...] = ()
    cue: str = ""
    age: int = 0
    """Turns since."""

    @property
    def digits(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True)
class Scene:
    """One text and what is known around it."""

    reading: Reading
    numerals: Numerals
    regions: tuple[str, ...]
    side: Side
    asked: frozenset[str] = frozenset()
    """The kinds of things that the agent has just asked for."""
    tail: Tail = Tail()

    @cached_property
    def dictation(self) -> Dictation:
        return Dictation(self.reading, self.numerals)

    @cached_property
    def runs(self) -> list[Run]:
        return runs(self.dictation)

    @cached_property
    def cues(self) -> Cues:
        return Cues(self.reading)

    def cue(self, run: Run) -> str:
        """What the words around a number say that it is, else what was asked for or begun before."""
        said = self.cues.near(run.first, run.end)
        asked = next((kind for kind in _NUMBERS if kind in self.asked), "")
        return said or (self.tail.cue if self.continues(run) else "") or asked

    def begun(self, run: Run) -> str:
        """The digits that were said in turns before and that a number goes on with."""
        return self.tail.digits if self.continues(run) else ""

    def is_at_the_end(self, run: Run) -> bool:
        """Whether nothing of weight is said behind a number."""
        if len(self.reading) - run.end > 2 * MOST_BESIDE:
            return False
        after = [word for word in self.reading.tokens[run.end :] if word[0].isalnum()]
        return len(after) <= MOST_BEHIND and all(map(self._is_polite, after))

    def is_bare(self, first: int, end: int) -> bool:
        """Whether hardly anything is said besides these tokens."""
        if len(self.reading.words) - (end - first) > MOST_BESIDE:
            return False
        rest = [place for place in self.reading.words if not first <= place < end]
        return len(rest) <= MOST_BESIDE and all(self._is_polite(self.reading.tokens[place]) for place in rest)

    def continues(self, run: Run) -> bool:
        """Whether the number may go on with what was begun before: nothing is said ahead of it."""
        if not self.tail.pieces or run.first > 2 * MOST_BESIDE:
            return False
        before = [word for word in self.reading.tokens[: run.first] if word[0].isalnum()]
        return len(before) <= MOST_BESIDE and all(map(self._is_polite, before))

    def _is_polite(self, word: str) -> bool:
        return word in POLITE or word in self.numerals.fillers or word in ("last", "four", "digits", "are", "then")

    def private(self, kind: PiiKind, value: str, first: int, end: int, score: float) -> Private:
        """A finding at these tokens."""
        return Private(kind, value, self.reading.starts[first], self.reading.ends[end - 1], score)
