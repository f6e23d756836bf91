"""A caller and an agent in one process: how simulated callers reach an agent, by sound.

The caller's side speaks with `speak`; between its utterances the line carries a faint noise, as lines do, or what its
`Medium` makes of the caller's room. The agent's side is a `Transport`: what it plays is heard by the clock.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import numpy as np

from voicebot.media.schedule import ByTheClock
from voicebot.transports import Ear, HangUp

CHUNK_MS = 20
_NOISE_DB = -66


class Medium(Protocol):
    """What lies between the caller's mouth and the agent's ear."""

    def carry(self, speech: bytes) -> bytes:
        """`CHUNK_MS` as they arrive, of `speech` (s16le mono) that is not longer than that and may be empty."""
        ...


class Link(ByTheClock):
    """One call's line. `rate_hz` is 8000 or 16000; without a `medium` there is only a faint noise."""

    name = "link"

    def __init__(self, caller: str, rate_hz: int = 16000, *, medium: Medium | None = None, seed: int = 0) -> None:
        self.caller = caller
        self.rate_hz = rate_hz
        super().__init__(rate_hz)
        self._chunk = 2 * rate_hz * CHUNK_MS // 1000
        self._speech = bytearray()
        self._spoken: asyncio.Future[bool] | None = None
        self._hung_up = asyncio.Event()
        self._medium = medium or _FaintNoise(rate_hz, seed)
        self.position_ms = 0.0
        """How much of the caller's audio has gone to the agent: where in it the next chunk begins."""

    # -- the caller's side -------------------------------------------------------------------------------------------

    async def speak(self, pcm: bytes) -> bool:
        """Say `pcm` (s16le mono at `rate_hz`). Returns when its last sample is on the line; False when stopped."""
        self.stop()
        self._speech = bytearray(pcm)
        self._spoken = asyncio.get_running_loop().create_future()
        return await self._spoken

    def stop(self) -> None:
        """Fall silent at once."""
        self._speech.clear()
        if self._spoken and not self._spoken.done():
            self._spoken.set_result(False)

    def hang_up(self) -> None:
        self._hung_up.set()

    @property
    def agent_speaking(self) -> bool:
        return self._schedule.backlog_s > 0

    # -- the agent's side: a Transport -------------------------------------------------------------------------------

    async def run(self, ear: Ear) -> HangUp:
        loop = asyncio.get_running_loop()
        ticks, began = 0, loop.time()
        while not self._hung_up.is_set():
            ticks += 1
            await asyncio.sleep(began + ticks * CHUNK_MS / 1000 - loop.time())
            ear.audio(self._next_chunk())
            self.position_ms += CHUNK_MS
        return "caller_hung_up"

    def _next_chunk(self) -> bytes:
        chunk = bytes(self._speech[: self._chunk])
        del self._speech[: self._chunk]
        if not self._speech and self._spoken and not self._spoken.done():
            self._spoken.set_result(True)
        return self._medium.carry(chunk)


class _FaintNoise:
    """The noise of every line, between utterances."""

    def __init__(self, rate_hz: int, seed: int) -> None:
        rms = 10 ** (_NOISE_DB / 20) * 32768
        self._noise = np.random.default_rng(seed).normal(0, rms, rate_hz).astype(np.int16).tobytes()
        self._size = 2 * rate_hz * CHUNK_MS // 1000
        self._at = 0

    def carry(self, speech: bytes) -> bytes:
        noise = self._noise[self._at : self._at + self._size]
        self._at = (self._at + self._size) % len(self._noise)
        return speech + noise[len(speech) :]
