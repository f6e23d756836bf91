"""What the other side of a line has played of the audio that it was sent ahead of time, as far as its marks tell.

A mark is a name sent behind some audio; the other side sends it back when it has played that audio. A mark that came
back proves that everything before it was heard, one that has not that nothing behind it was. In between the clock
tells. Playing is counted from here: "heard" means that by now the caller's answer to it could have arrived.

Not everybody keeps to that. A mark that comes back sooner than the audio lasts is not believed (some send it back when
they receive it). One that is overdue is given up after a second, and until the next one comes the clock alone counts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

_SHORT_OF_IT_MS = 20
"""How far before a mark that has not come back the caller is taken to be at most: whoever waits for the end asks again
after so long."""
_PATIENCE_S = 1.0
_EARLY_S = 0.1
"""A mark may come back so much sooner than the clock has it: the other side's clock is not ours."""
_LATEST_S = 3.0
"""No line is taken to lag more than that."""


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str
    at: int
    """In samples since the call began."""
    due_s: float
    """Loop time at which it would come back from a line without any delay."""


class Playback:
    """One call's. Plain calls on the event loop."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._total = 0
        """Samples sent in this call, without what was cleared."""
        self._base = 0
        """`_total` when there was last nothing left to play."""
        self._ends_s = 0.0
        """Loop time at which all was played on a line without delay."""
        self._late_s = 0.0
        """How much later than that the last mark came back."""
        self._heard = 0
        self._marks: deque[_Mark] = deque()
        self._named = 0
        self._answers = True
        """False from a mark that did not come back until one does."""

    def play(self, samples: int) -> None:
        """So much goes out behind what is there."""
        now_s = _now_s()
        if now_s >= self._ends_s:
            self._base, self._ends_s = self._total, now_s
        self._ends_s += samples / self._rate_hz
        self._total += samples

    def mark(self, behind: int = 0) -> str:
        """The name of a new mark, so many samples before the end of what goes out."""
        self._named += 1
        mark = _Mark(str(self._named), self._total - behind, self._ends_s - behind / self._rate_hz)
        self._marks.append(mark)
        return mark.name

    def marked(self, name: str) -> None:
        """A mark came back. Names that are not out there (any more) say nothing."""
        while self._marks and any(mark.name == name for mark in self._marks):
            mark = self._marks.popleft()  # what stands before it was played, too
            late_s = _now_s() - mark.due_s
            if mark.name == name and late_s >= -_EARLY_S:
                self._answers = True
                self._late_s = min(max(0.0, late_s), _LATEST_S)
                self._heard = max(self._heard, mark.at)

    def clear(self) -> None:
        """What has not been heard never will."""
        self._total = self._base = self.played()
        self._ends_s = 0.0
        self._marks.clear()

    def played(self) -> int:
        """Samples heard so far; what was cleared never counts, and it never becomes less."""
        now_s = _now_s()
        self._give_up(now_s)
        heard = self._by_the_clock(now_s)
        if self._marks:
            heard = min(heard, self._marks[0].at - self._rate_hz * _SHORT_OF_IT_MS // 1000)
        self._heard = max(self._heard, heard)
        return self._heard

    @property
    def backlog_s(self) -> float:
        """Seconds of audio still to be heard."""
        return (self._total - self.played()) / self._rate_hz

    def _by_the_clock(self, now_s: float) -> int:
        rest_s = max(0.0, self._ends_s + self._late_s - now_s)
        return max(self._base, self._total - round(rest_s * self._rate_hz))

    def _give_up(self, now_s: float) -> None:
        patience_s = _PATIENCE_S if self._answers else 0.0
        while self._marks and now_s > self._marks[0].due_s + self._late_s + patience_s:
            self._marks.popleft()
            self._answers, patience_s = False, 0.0


def _now_s() -> float:
    return asyncio.get_running_loop().time()
