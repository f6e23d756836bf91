"""Both ends of a websocket in one process, with the delay and the jitter of a network between them.

client, server = pair(delay_ms=40, jitter_ms=30, seed=1)

A websocket loses nothing and keeps the order: what comes late holds up what is behind it, and then comes at once.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque

from voicebot.transports.dialect import GOOD_BYE, Message, SocketClosed


class PairedSocket:
    """One end: a `voicebot.transports.dialect.Socket`."""

    def __init__(self, delay_ms: float, jitter_ms: float, seed: int) -> None:
        """What is sent takes `delay_ms`, and up to `jitter_ms` more."""
        self.other: PairedSocket
        self._delay_s, self._jitter_s = delay_ms / 1000, jitter_ms / 1000
        self._dice = random.Random(seed)  # noqa: S311 - dice, not secrets
        self._arrives_s = 0.0
        """When what was sent last is there."""
        self._on_the_way: deque[Message | SocketClosed] = deque()
        self._came: asyncio.Queue[Message | SocketClosed] = asyncio.Queue()
        self._is_closed = False
        """By this end."""
        self._closed: SocketClosed | None = None
        """By the other."""

    async def receive(self) -> Message:
        if self._closed:
            raise self._closed
        message = await self._came.get()
        if isinstance(message, SocketClosed):
            self._closed = message
            raise message
        return message

    async def send(self, message: Message) -> None:
        if self._is_closed or self._closed:
            raise self._closed or SocketClosed(GOOD_BYE)
        self._post(message)

    async def close(self, code: int = GOOD_BYE, reason: str = "") -> None:
        if not self._is_closed:
            self._is_closed = True
            self._post(SocketClosed(code, reason))

    def _post(self, message: Message | SocketClosed) -> None:
        loop = asyncio.get_running_loop()
        takes_s = self._delay_s + self._jitter_s * self._dice.random()
        self._arrives_s = max(self._arrives_s, loop.time() + takes_s)
        self._on_the_way.append(message)
        loop.call_at(self._arrives_s, self._arrive)

    def _arrive(self) -> None:
        """The oldest first, though timers of one moment come in any order."""
        self.other._came.put_nowait(self._on_the_way.popleft())


def pair(*, delay_ms: float = 0.0, jitter_ms: float = 0.0, seed: int = 0) -> tuple[PairedSocket, PairedSocket]:
    """The client's end and the server's. The same seed gives the same jitter."""
    client, server = PairedSocket(delay_ms, jitter_ms, seed), PairedSocket(delay_ms, jitter_ms, seed + 1)
    client.other, server.other = server, client
    return client, server
