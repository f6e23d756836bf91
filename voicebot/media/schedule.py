"""Playback by the clock: for transports whose far side plays what it is given without reporting back."""

from __future__ import annotations

import asyncio


class Schedule:
    """Plays queued audio in thought, one second a second, from the moment it is queued."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._total = 0
        self._ends_at = 0.0
        """Loop time at which the queue runs dry."""

    def play(self, samples: int) -> None:
        now = asyncio.get_running_loop().time()
        self._ends_at = max(now, self._ends_at) + samples / self._rate_hz
        self._total += samples

    def clear(self) -> None:
        self._total = self.played()
        self._ends_at = 0.0

    def played(self) -> int:
        """Samples heard so far; what was cleared never counts."""
        return self._total - round(self.backlog_s * self._rate_hz)

    @property
    def backlog_s(self) -> float:
        """Seconds of audio still to be heard."""
        return max(0.0, self._ends_at - asyncio.get_running_loop().time())


class ByTheClock:
    """The agent's half of a `Transport` whose far side reports nothing: what is played is heard by the clock."""

    def __init__(self, rate_hz: int) -> None:
        self._schedule = Schedule(rate_hz)

    def play(self, pcm: bytes) -> None:
        self._schedule.play(len(pcm) // 2)

    def clear(self) -> None:
        self._schedule.clear()

    def played(self) -> int:
        return self._schedule.played()
