"""A call's events sorted into turns, each handed out once it is over.

A turn is over when the caller has ended the next one: what was said in between may still have cut it short. One whose
tool runs on in the background stays open until that has come to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voicebot.events import AgentSpeechStopped, CallEnded, CallStarted, Event, ToolCalled, ToolReturned, TurnEnded


@dataclass(frozen=True)
class Turn:
    """From the caller's first sound to the end of the agent's reply; 0 is the greeting."""

    number: int
    events: tuple[Event, ...]
    interrupts: bool
    """It began by cutting short the reply of the turn before it."""


class Turns:
    def __init__(self) -> None:
        self._open: dict[int, list[Event]] = {}
        self._running: dict[str, int] = {}
        """Tools that have not returned -> the turn that called them."""
        self._interrupted: set[int] = set()
        self._ended = 0
        """The latest turn that the caller has ended."""
        self._handed_out: set[int] = set()

    def add(self, event: Event) -> Iterator[Turn]:
        """The turns that are over now, in order."""
        if isinstance(event, CallStarted | CallEnded):
            return
        number = event.turn
        if isinstance(event, ToolCalled):
            self._running[event.id] = number
        elif isinstance(event, ToolReturned):
            number = self._running.pop(event.id, number)
        elif isinstance(event, AgentSpeechStopped) and event.interrupted:
            self._interrupted.add(number)
        elif isinstance(event, TurnEnded):
            self._ended = max(self._ended, number)
        if number in self._handed_out:  # told late; nothing of it goes into two spans
            number = max(self._ended, number)
        self._open.setdefault(number, []).append(event)
        waiting = set(self._running.values())
        yield from self._over([each for each in self._open if each < self._ended and each not in waiting])

    def rest(self) -> Iterator[Turn]:
        """Those that are still open: the call has ended, or its record has."""
        yield from self._over(list(self._open))

    def _over(self, numbers: list[int]) -> Iterator[Turn]:
        for number in sorted(numbers):
            self._handed_out.add(number)
            yield Turn(number, tuple(self._open.pop(number)), number - 1 in self._interrupted)
