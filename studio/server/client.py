"""What the studio asks of a server, over its REST interface (docs/rest.md).

The key is sent with each request and stands nowhere else: in no error, no log, no repr. What the server answers is
believed in nothing but its form.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from voicebot.errors import BadInput, Unavailable
from voicebot.events import Event, parse

_ASK_S = 10.0
_SILENT_S = 40.0
"""Longer than the pause between two heartbeats of a stream of events, which is 15 s."""
_LONGEST = 1 << 20
"""Bytes of one event, more than any has."""
_FIGURES = {"voicebot_calls_active": "active", "voicebot_calls_limit": "limit", "voicebot_workers_ready": "workers"}


class LiveCall(BaseModel):
    """A call that the server has."""

    model_config = ConfigDict(frozen=True)

    id: str
    agent: str
    transport: str
    state: str
    caller: str = ""
    started_at: datetime | None = None
    created_at: datetime


class Figures(BaseModel):
    """What the server says of itself; None where the key may not ask."""

    ready: bool
    active: int | None = None
    limit: int | None = None
    workers: int | None = None


class _Page(BaseModel):
    calls: list[LiveCall]


class _Draining(BaseModel):
    calls: int


_NUMBERED = TypeAdapter(int)


class Client:
    """One server. Every method raises Unavailable when it cannot be reached, and BadInput when it says no."""

    def __init__(self, url: str, key: str) -> None:
        """Raises BadInput for what is no address, or no key."""
        self.url = _address(url)
        key = key.strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise BadInput("that is no key: `voicebot keys create` prints one.")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=_ASK_S, follow_redirects=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def live(self) -> list[LiveCall]:
        """The calls that run, the latest first; two hundred at most."""
        answer = await self._asked("GET", "/v1/calls", params={"state": "live", "limit": 200})
        try:
            return _Page.model_validate_json(answer.content).calls
        except ValidationError:
            raise BadInput(f"{self.url} answers, but not as `voicebot serve` does.") from None

    async def figures(self) -> Figures:
        ready = (await self._sent("GET", "/readyz")).status_code == 200
        answer = await self._sent("GET", "/metrics")
        return Figures(ready=ready, **(_read(answer.text) if answer.status_code == 200 else {}))

    async def end(self, call: str) -> None:
        """The agent hangs up."""
        await self._asked("POST", f"/v1/calls/{quote(call, safe='')}/end")

    async def say(self, call: str, text: str) -> None:
        """The agent says it when it next has the floor."""
        await self._asked("POST", f"/v1/calls/{quote(call, safe='')}/say", json={"text": text})

    async def drain(self) -> int:
        """No new calls; the server stops when the running ones are over. How many there are."""
        answer = await self._asked("POST", "/v1/drain")
        try:
            return _Draining.model_validate_json(answer.content).calls
        except ValidationError:
            raise BadInput(f"{self.url} answers, but not as `voicebot serve` does.") from None

    async def events(self, call: str, after: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """(number, event), from the `after`-th on, until the call is over. What cannot be read is left out."""
        path = f"/v1/calls/{quote(call, safe='')}/events"
        async with self._stream(path, {"after": after}) as answer:
            if answer.status_code == 204:
                return
            number = after
            async for line in _lines(answer):
                name, _, value = line.partition(": ")
                try:
                    if name == "id":
                        number = _NUMBERED.validate_strings(value)
                    elif name == "data":
                        yield number, parse(value)
                except ValidationError:
                    continue

    async def sound(self, call: str) -> AsyncIterator[bytes]:
        """The sound of a running call as it is recorded: a WAV that goes on, caller left, agent right."""
        path = f"/v1/calls/{quote(call, safe='')}/listen"
        async with self._stream(path, {}) as answer:
            try:
                async for piece in answer.aiter_bytes():
                    yield piece
            except httpx.HTTPError:
                raise Unavailable(f"{self.url} has broken off.") from None

    @asynccontextmanager
    async def _stream(self, path: str, params: dict[str, int]) -> AsyncIterator[httpx.Response]:
        timeout = httpx.Timeout(_ASK_S, read=_SILENT_S)
        try:
            async with self._http.stream("GET", path, params=params, timeout=timeout) as answer:
                if answer.status_code >= 400:
                    await answer.aread()
                self._check(answer)
                yield answer
        except httpx.TransportError as error:
            raise Unavailable(f"{self.url} cannot be reached ({_why(error)}).") from None

    async def _asked(self, method: str, path: str, **about: Any) -> httpx.Response:
        answer = await self._sent(method, path, **about)
        self._check(answer)
        return answer

    async def _sent(self, method: str, path: str, **about: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **about)
        except httpx.TransportError as error:
            raise Unavailable(f"{self.url} cannot be reached ({_why(error)}).") from None

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == 401:
            raise BadInput(f"{self.url} does not know this key. `voicebot keys create` makes one.")
        if answer.status_code == 403:
            scope = answer.headers.get("www-authenticate", "").partition('scope="')[2].partition('"')[0]
            raise BadInput(f"this key may not do that: it lacks the scope {scope[:40] or 'for it'}.")
        if answer.status_code >= 300:
            raise BadInput(f"{self.url} says: {_detail(answer)}")


def _address(url: str) -> str:
    text = url.strip().rstrip("/")
    text = text if "://" in text else f"http://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise BadInput("that is no address of a server. Write http://localhost:8080 or https://voice.example.com.")
    return text


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    """Lines of a stream. One that does not end is the end of it."""
    waiting = b""
    async for piece in answer.aiter_bytes():
        *lines, waiting = (waiting + piece).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
        if len(waiting) > _LONGEST:
            return


def _read(text: str) -> dict[str, int]:
    """The few figures that are shown, of all that Prometheus would read."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name in _FIGURES:
            try:
                found[_FIGURES[name]] = round(float(value))
            except (ValueError, OverflowError):
                continue
    return found


def _detail(answer: httpx.Response) -> str:
    try:
        said = answer.json()
        return str(said.get("detail") or said.get("title"))[:300]
    except (ValueError, AttributeError):
        return f"status {answer.status_code}"


def _why(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it does not answer"
    return "nobody answers there" if isinstance(error, httpx.ConnectError) else "the connection broke off"
