"""Words that somebody outside the conversation has the agent say (an operator, or a server that shuts down), and what
comes behind an agent's words."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from voicebot.agent import Agent, Warm
from voicebot.brain import HandOver, Output
from voicebot.call.opening import Reason
from voicebot.errors import BadInput

MOST = 16
"""Asides that may wait: more are said by nobody who listens to the call."""


@dataclass(frozen=True)
class Wait:
    """The caller waits to music until they are taken back."""


@dataclass(frozen=True)
class Through:
    """The caller waits to music while somebody is asked whether they take the call."""

    to: str
    """Who: what can be dialled."""
    warm: Warm
    reason: str = ""
    """Why, for whoever is asked."""


After = tuple[Reason, str] | Wait | Through
"""What comes behind the agent's words: how the call ends, and the detail; or that the caller waits."""


class PutsThrough(Protocol):
    """Asks others whether they take a call, while its caller waits."""

    def reaches(self, to: str) -> bool:
        """Whether they can be called there."""

    def ask(self, through: Through) -> None:
        """Returns at once. In the end the call is over as `handed_over`, or `Call.back` is called."""

    def record(self) -> None:
        """The network records the call, too, from now on."""


def through_of(output: Output, agent: Agent, put_through: PutsThrough | None) -> Through | None:
    """How the other side of a handover is asked first; None when it is not."""
    if not isinstance(output, HandOver) or output.agent or put_through is None:
        return None
    warm = next((each.warm for each in agent.handoff if each.to == output.to), None)
    return Through(output.to, warm, output.reason) if warm and put_through.reaches(output.to) else None


@dataclass(frozen=True)
class Aside:
    text: str
    """'' when there is only an ending."""
    ending: After | None = None
    """What comes when the caller has heard it; None: the call goes on."""

    @property
    def handed_to(self) -> str:
        """To whom the caller is handed over when the call ends with it, or ''."""
        return self.ending[1] if isinstance(self.ending, tuple) and self.ending[0] == "handed_over" else ""


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
