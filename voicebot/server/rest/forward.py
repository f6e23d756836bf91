"""Requests about a call of another worker go there: over that worker's unix socket, or to its machine.

At most once: who gets a forwarded request answers it, whatever the books say. The caller's own key goes along.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection
from starlette.responses import Response

from voicebot.server.rest.problems import Problem
from voicebot.server.site import Site
from voicebot.server.state import CallRow

HOP = "voicebot-hop"
"""The header of a request that was forwarded."""
_CONNECT_S = 2.0
_READ_S = 60.0
"""Longer than the pause between two heartbeats of a stream of events."""
_ASKS = ("authorization", "accept", "content-type", "range", "if-range")
_SIGNED = (
    "x-twilio-signature", "x-twilio-webhooks-signature-settings", "host", "x-forwarded-host", "x-forwarded-proto",
)  # fmt: skip
"""What proves that a webhook is Twilio's: who gets it checks it again."""
_ANSWERS = (
    "content-type", "content-length", "content-range", "accept-ranges", "content-disposition", "etag", "last-modified",
    "retry-after", "www-authenticate",
)  # fmt: skip


class Forward:
    """One worker's way to the others."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._clients: dict[str, httpx.AsyncClient] = {}

    def elsewhere(self, row: CallRow, request: HTTPConnection, *, any_worker: bool = False) -> bool:
        """Whether another one has this call and may be asked. A disk is read by `any_worker` of its machine."""
        if HOP in request.headers:
            return False
        return row.machine != self._site.machine or (row.worker != self._site.worker and not any_worker)

    async def request(self, row: CallRow, request: Request) -> Response:
        """The other worker's answer, passed on as it comes. Raises Problem."""
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        names = (*_ASKS, *_SIGNED) if request.url.path.startswith("/twilio/") else _ASKS
        headers = {name: request.headers[name] for name in names if name in request.headers}
        asked = self._client(row).build_request(
            request.method, target, headers={**headers, HOP: "1"}, content=await request.body() or None
        )
        answer = await self._sent(row, asked)
        passed = {name: answer.headers[name] for name in _ANSWERS if name in answer.headers}
        return StreamingResponse(_body(answer), answer.status_code, passed)

    @asynccontextmanager
    async def events(self, row: CallRow, after: int, headers: Mapping[str, str]) -> AsyncIterator[AsyncIterator[str]]:
        """The stream of the call's events, line by line. Raises Problem, also the one that the other worker sends."""
        path = f"/v1/calls/{quote(row.id)}/events?after={after}"
        asks = {HOP: "1", "accept": "text/event-stream"}
        if authorization := headers.get("authorization"):
            asks["authorization"] = authorization
        answer = await self._sent(row, self._client(row).build_request("GET", path, headers=asks))
        try:
            if answer.status_code >= 400:
                raise await _problem(answer)
            yield _lines(answer)
        finally:
            await answer.aclose()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    def _client(self, row: CallRow) -> httpx.AsyncClient:
        """Of a worker beside this one, or of another machine. Raises Problem."""
        beside = row.machine == self._site.machine
        door = self._site.settings.door(row.worker) if beside else None
        if door is None and (beside or not row.machine.startswith(("http://", "https://"))):
            raise _gone()
        where = str(door or row.machine)
        if where not in self._clients:
            self._clients[where] = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=where, limits=_NEW_EACH) if door else None,
                base_url="http://worker" if door else where,
                timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
                limits=_NEW_EACH,
                trust_env=False,
            )
        return self._clients[where]

    async def _sent(self, row: CallRow, asked: httpx.Request) -> httpx.Response:
        try:
            return await self._client(row).send(asked, stream=True)
        except httpx.TransportError:
            raise _gone() from None


_NEW_EACH = httpx.Limits(max_connections=256, max_keepalive_connections=0)
"""A worker that was replaced listens at the same place: nothing is kept that leads to the old one."""


def _gone() -> Problem:
    detail = "The worker that has this call cannot be reached; the call may be lost."
    return Problem(503, "Unavailable", detail, {"Retry-After": "5"})


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        yield line


async def _problem(answer: httpx.Response) -> Problem:
    """What the other worker said, again."""
    try:
        said = answer.json() if await answer.aread() else {}
        return Problem(answer.status_code, said["title"], said.get("detail", ""))
    except (ValueError, KeyError):
        return _gone()
