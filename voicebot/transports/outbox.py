"""What waits to be sent over a call's socket. Putting something in is a plain call; one task sends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from voicebot.transports.dialect import LineLost, Message, Socket

_MOST_BYTES = 8 * 1024 * 1024
"""Some ten minutes of audio that the other side does not take."""


class Outbox:
    def __init__(self) -> None:
        self._waiting: deque[tuple[Message, bool]] = deque()
        """(message, whether it may be taken back)."""
        self._bytes = 0
        self._something = asyncio.Event()
        self.closed = False

    def put(self, message: Message, *, sound: bool = False) -> None:
        """Behind what is there. Ignored when the outbox is closed. Raises LineLost when there is too much in it."""
        if self.closed:
            return
        self._bytes += len(message)
        if self._bytes > _MOST_BYTES:
            raise LineLost("the other side does not take what it is sent")
        self._waiting.append((message, sound))
        self._something.set()

    def silence(self) -> None:
        """Sound that has not been sent never is."""
        self._waiting = deque(each for each in self._waiting if not each[1])
        self._bytes = sum(len(message) for message, _ in self._waiting)

    def rest(self) -> Iterator[Message]:
        """What was not sent and is no sound; then nothing is left."""
        self.silence()
        while self._waiting:
            yield self._waiting.popleft()[0]

    async def send_to(self, socket: Socket) -> None:
        """Send whatever comes, until cancelled. Raises SocketClosed."""
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                message, _ = self._waiting.popleft()
                self._bytes -= len(message)
                await socket.send(message)
