"""A caller who waits: they hear music, and nobody listens to them until the agent is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol

from loguru import logger

from voicebot.transports import Transport

LONGEST_S = 600.0
"""After so long the agent comes back by itself: a caller who was forgotten is not kept for ever."""
BACK = "*"
"""The key with which a caller who waits gets the agent back."""
WhyBack = Literal["asked", "key", "spoke", "not_taken", "forgotten", "ending"]
"""See `voicebot.events.CallerBack`."""
_AHEAD_S = 2.0
"""How much music the caller's side has in store."""


class Hears(Protocol):
    """Who is told what the caller is given to hear."""

    def agent_audio(self, pcm: bytes) -> None: ...

    def agent_silenced(self) -> None: ...


class OnHold:
    """One call's. Plain calls on the event loop."""

    def __init__(
        self, transport: Transport, told: Hears, music: Callable[[], bytes], forgotten: Callable[[], None]
    ) -> None:
        """`music`: gives s16le mono at the transport's rate, played round and round; asked off the event loop.
        `forgotten` is called after `LONGEST_S`."""
        self._transport = transport
        self._told = told
        self._music = music
        self._forgotten = forgotten
        self._timers: list[asyncio.TimerHandle] = []
        self._since_s: float | None = None
        self._at = 0

    @property
    def on(self) -> bool:
        return self._since_s is not None

    def begin(self) -> bool:
        """False when the caller waits already."""
        if self.on:
            return False
        loop = asyncio.get_running_loop()
        self._since_s, self._at = loop.time(), 0
        self._timers = [loop.call_later(LONGEST_S, self._forgotten)]
        if self._transport.rate_hz:
            loading = loop.run_in_executor(None, self._music)
            loading.add_done_callback(self._loaded)
        return True

    def _loaded(self, loading: asyncio.Future[bytes]) -> None:
        if loading.cancelled():
            return
        if error := loading.exception():
            logger.warning(f"a caller waits in silence: {error}")
        elif self.on and (music := loading.result()):
            self._play(music, _AHEAD_S)

    def end(self) -> float | None:
        """How long the caller has waited, in seconds; None when they have not."""
        if self._since_s is None:
            return None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        waited_s, self._since_s = asyncio.get_running_loop().time() - self._since_s, None
        self._transport.clear()
        self._told.agent_silenced()
        return waited_s

    def _play(self, music: bytes, seconds: float) -> None:
        size = 2 * round(seconds * self._transport.rate_hz)
        piece = (music[self._at :] + music * (size // len(music) + 1))[:size]
        self._at = (self._at + size) % len(music)
        self._told.agent_audio(piece)
        self._transport.play(piece)
        self._timers[1:] = [asyncio.get_running_loop().call_later(_AHEAD_S / 2, self._play, music, _AHEAD_S / 2)]
