"""How much of a request is read: not more than was agreed on, also when it does not say how much will come."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicebot.server.rest.problems import Problem

MOST_BYTES = 128 * 1024
"""An agent file may be so long; nothing else that is sent here comes near it. Checking one that was made to be slow
takes seconds at this length, and grows with its square."""
_LINGER_S = 1.0


class BodyLimit:
    """ASGI middleware. Whoever reads a body that is too long gets a Problem, 413."""

    def __init__(self, app: ASGIApp, most_bytes: int = MOST_BYTES) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body = _Body(Headers(scope=scope), receive, send, self._most_bytes)
            receive, send = body.receive, body.send
        await self._app(scope, receive, send)


class _Body:
    """One request's."""

    def __init__(self, headers: Headers, receive: Receive, send: Send, most_bytes: int) -> None:
        length = headers.get("content-length", "0")
        self._declared = int(length) if length.isdecimal() else most_bytes + 1
        self._unread = self._declared > 0 or "transfer-encoding" in headers
        self._receive = receive
        self._send = send
        self._most_bytes = most_bytes
        self._came = 0
        self._answered = False
        """It is too late for a Problem."""

    async def receive(self) -> Message:
        """Raises Problem."""
        if self._declared <= self._most_bytes or self._answered:
            message = await self._next()
            self._came += len(message.get("body", b""))
            if self._came <= self._most_bytes or self._answered:
                return message
        raise Problem(413, "Content too large", f"A body may have {self._most_bytes} bytes.")

    async def send(self, message: Message) -> None:
        """Who is refused while still sending shall get to read why: a connection that is closed with something unread
        in it takes the answer along."""
        self._answered = True
        last = message["type"] == "http.response.body" and not message.get("more_body")
        if not (last and self._unread):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while self._unread:
                    await self._next()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> Message:
        message = await self._receive()
        self._unread = bool(message.get("more_body"))
        return message
