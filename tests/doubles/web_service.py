"""A web service on the loopback device, well-behaved and not: what HTTP tools talk to in tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


class WebService:
    """Answers every request with `answers` in turn, the last one again and again; keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.connections = 0
        self._answers = list(answers)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.asked.append({"method": request.method, "path": request.raw_path, "headers": headers, "body": body})
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        return await answer(request)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[WebService]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert runner.addresses
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert runner.server is not None
        try:
            yield self
        finally:
            self.connections = len(runner.server.connections)
            await runner.cleanup()


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(value, status=status, headers=headers)

    return answer


def text(value: str, status: int = 200, kind: str = "text/plain", headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=value, status=status, content_type=kind, headers=headers)

    return answer


def redirect(to: str, status: int = 307) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": to})

    return answer


async def hang(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    raise AssertionError("nobody waits that long")


async def hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"x" * 65_536)
    return response
