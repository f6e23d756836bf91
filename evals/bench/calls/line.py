"""A caller's end of a websocket, as cheap as it can be: no task, no queue, frames written whole.

RFC 6455, as much of it as Media Streams need. What is sent is masked with zeros, which the RFC allows everybody but a
browser: the server has the same work, and callers none.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FIN, _MASKED, _SHORT, _LONG, _LONGEST = 0x80, 0x80, 125, 126, 127
_HANG_UP = struct.pack(">H", 1000)


class NoAnswer(Exception):
    """The server did not take the call; says how."""


def framed(payload: bytes, opcode: int = _TEXT) -> bytes:
    """One masked frame, at most 64 KiB."""
    size = len(payload)
    if size <= _SHORT:
        return struct.pack(">BBI", _FIN | opcode, _MASKED | size, 0) + payload
    return struct.pack(">BBHI", _FIN | opcode, _MASKED | _LONG, size, 0) + payload


class Line(asyncio.Protocol):
    """One connection. `on_text` gets each message, `on_lost` is called when the server closes it."""

    def __init__(self, on_text: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self.connected_at = 0.0
        """time.monotonic() at which the kernel had the connection."""
        self.closed = False
        self._on_text = on_text
        self._on_lost = on_lost
        self._open = asyncio.get_running_loop().create_future()
        self._upgraded = False
        self._buffer = bytearray()

    @classmethod
    async def dial(
        cls, url: str, headers: Mapping[str, str], on_text: Callable[[bytes], None], on_lost: Callable[[], None]
    ) -> Line:
        """Returns when the server has agreed to the websocket. Raises NoAnswer, OSError."""
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        secure = parts.scheme == "wss"
        _, line = await loop.create_connection(
            lambda: cls(on_text, on_lost),
            parts.hostname or "",
            parts.port or (443 if secure else 80),
            ssl=secure or None,
        )
        line._ask(parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers)
        await line._open
        return line

    def _ask(self, host: str, path: str, headers: Mapping[str, str]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        asked = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        lines = [f"{name}: {value}" for name, value in (asked | {"Sec-WebSocket-Key": key} | dict(headers)).items()]
        self._transport.write("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())

    def send(self, frame: bytes) -> None:
        if not self.closed:
            self._transport.write(frame)

    def hang_up(self) -> None:
        if not self.closed:
            self.send(framed(_HANG_UP, _CLOSE))
            self.closed = True
            self._transport.close()

    # -- asyncio's side ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connected_at = time.monotonic()
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            self._read_answer()
        while self._upgraded and (frame := self._next()):
            opcode, payload = frame
            if opcode == _TEXT:
                self._on_text(payload)
            elif opcode == _PING:
                self.send(framed(payload, _PONG))
            elif opcode == _CLOSE:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        ours, self.closed = self.closed, True
        if not self._open.done():
            self._open.set_exception(NoAnswer("the connection was closed before the handshake was done"))
        elif not ours and self._upgraded:
            self._on_lost()

    def _read_answer(self) -> None:
        head, end, _ = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end or self._open.done():
            return
        status = head.partition(b"\r\n")[0].decode(errors="replace")
        if " 101" not in status:
            self._open.set_exception(NoAnswer(status))
            self._transport.close()
            return
        del self._buffer[: len(head) + len(end)]
        self._upgraded = True
        self._open.set_result(None)

    def _next(self) -> tuple[int, bytes] | None:
        """The next whole frame. Servers do not mask, and none of them sends a message in parts."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size == _LONG:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == _LONGEST:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return None
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return opcode, payload
