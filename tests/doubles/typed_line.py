"""A caller who is understood at once, on a line with sound: so that a hundred calls can be made in the time of one.

The agent's side is whole: pipeline, brain, SDK, voice, playout. Only listening is left out: `say` is a turn that has
just ended.
"""

from __future__ import annotations

import asyncio

from voicebot.media.schedule import ByTheClock
from voicebot.transports import Ear, HangUp


class TypedLine(ByTheClock):
    """One call's line. `sounds` are (start, end) of what the caller heard, in loop time; together when it went on."""

    name = "typed-line"
    caller = "tester"
    rate_hz = 16000

    def __init__(self) -> None:
        super().__init__(self.rate_hz)
        self.sounds: list[tuple[float, float]] = []
        self._ear: asyncio.Future[Ear] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()

    async def run(self, ear: Ear) -> HangUp:
        self._ear.set_result(ear)
        await self._gone.wait()
        return "caller_hung_up"

    async def say(self, text: str) -> float:
        """Returns when that was, in loop time."""
        (await self._ear).text(text)
        return asyncio.get_running_loop().time()

    def hang_up(self) -> None:
        self._gone.set()

    def play(self, pcm: bytes) -> None:
        now = asyncio.get_running_loop().time()
        start = now + self._schedule.backlog_s
        super().play(pcm)
        end = now + self._schedule.backlog_s
        if self.sounds and start - self.sounds[-1][1] < 0.001:
            start = self.sounds.pop()[0]
        self.sounds.append((start, end))

    def silences(self, since: float, until: float) -> list[float]:
        """How long nothing was heard, each time, in seconds."""
        sounds = [(start, end) for start, end in self.sounds if end > since and start < until]
        edges = [since, *(edge for sound in sounds for edge in sound), until]
        return [max(0.0, end - start) for start, end in zip(edges[::2], edges[1::2], strict=True)]
