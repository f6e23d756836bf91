"""Words that somebody outside the conversation has the agent say: an operator, or a server that shuts down."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voicebot.errors import BadInput
from voicebot.opening import Reason

MOST = 16
"""Asides that may wait: more are said by nobody who listens to the call."""


@dataclass(frozen=True)
class Aside:
    text: str
    """'' when there is only an ending."""
    ending: tuple[Reason, str] | None = None
    """How the call ends when the caller has heard it, and the detail; None: it goes on."""


class Asides:
    """One call's, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Aside] = deque()
        self._now: Aside | None = None

    def add(self, aside: Aside) -> None:
        """Raises BadInput when too many wait."""
        if len(self._waiting) >= MOST:
            raise BadInput(f"{MOST} texts wait to be said in this call already.")
        self._waiting.append(aside)

    def next(self) -> Aside | None:
        self._now = self._waiting.popleft() if self._waiting else None
        return self._now

    def interrupted(self) -> None:
        """The caller would not hear the present one out; what was to come behind it does when they are answered."""
        if self._now and self._now.ending:
            self._waiting.appendleft(Aside("", self._now.ending))
        self._now = None
