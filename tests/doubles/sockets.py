"""Both ends of a websocket in one process, and one end of a real one."""

from __future__ import annotations

import asyncio
from collections import deque

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from voicebot.transports.dialect import CUT, GOOD_BYE, Message, SocketClosed


class Socket:
    """One end. What is sent arrives at the other after `delay_s`, in order."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.other: Socket
        self.delay_s = delay_s
        self.closed: SocketClosed | None = None
        """How the other end, or the network, has closed it."""
        self.close_code: int | None = None
        """How this end has."""
        self._came: asyncio.Queue[Message | None] = asyncio.Queue()
        self._on_the_way: deque[Message] = deque()
        self.takes = asyncio.Event()
        """Cleared: this end does not read, and the other one's `send` waits."""
        self.takes.set()

    async def receive(self) -> Message:
        if self.closed and self._came.empty():
            raise self.closed
        message = await self._came.get()
        if message is None:
            assert self.closed
            raise self.closed
        return message

    async def send(self, message: Message) -> None:
        await self.other.takes.wait()
        if self.closed or self.close_code:
            raise self.closed or SocketClosed()
        self._on_the_way.append(message)
        asyncio.get_running_loop().call_later(self.delay_s, self._arrive)

    def _arrive(self) -> None:
        """The oldest first, though timers of one moment come in any order."""
        self.other._came.put_nowait(self._on_the_way.popleft())

    async def close(self, code: int = GOOD_BYE, reason: str = "") -> None:
        if self.closed or self.close_code:
            return
        self.close_code = code
        asyncio.get_running_loop().call_later(self.delay_s, self.other.end, code, reason)

    def end(self, code: int, reason: str = "") -> None:
        self.closed = self.closed or SocketClosed(code, reason)
        self._came.put_nowait(None)

    def cut(self) -> None:
        """The network breaks: neither end is told goodbye."""
        self.end(CUT)
        self.other.end(CUT)


def pair(delay_s: float = 0.0) -> tuple[Socket, Socket]:
    """Client's end and server's end."""
    client, server = Socket(delay_s), Socket(delay_s)
    client.other, server.other = server, client
    return client, server


class Dialled:
    """A real client's end."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> Message:
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def send(self, message: Message) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def close(self, code: int = GOOD_BYE, reason: str = "") -> None:
        await self._connection.close(code, reason)


def _closed(error: ConnectionClosed) -> SocketClosed:
    return SocketClosed(error.rcvd.code, error.rcvd.reason) if error.rcvd else SocketClosed()
