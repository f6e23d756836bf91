"""Whether the world still reaches a server behind a tunnel; what is done when it does not.

    async with watching(Watch(url, leads_here, tunnel, moved, face)): ...    # raises Unavailable when it was given up

A tunnel of ours whose program is gone is noticed within a second, one that is only deaf by asking at the public address
who answers there. It is opened again, maybe at another address; one that is not ours is only waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from voicebot.errors import Unavailable, VoicebotError

HEADER: Final = "voicebot-server"
"""Of the answer to GET /livez: which process answers."""
_ASK_S: Final = 5.0
_MISSES: Final = 2
"""How many questions in a row may stay open before the address is taken to be lost."""

LeadsHere = Callable[[str], Awaitable[str]]
"""Why an address does not lead to this very server; '' when it does."""


class Tunnel(Protocol):
    """One that can be opened again: `voicebot.telephony.tunnel.Tunnel`."""

    async def open(self) -> str: ...

    @property
    def ended(self) -> str: ...

    def shaken(self) -> bool: ...


class Face(Protocol):
    """Who is told."""

    def unseen(self, url: str, why: str) -> None:
        """From the start on, `url` cannot be seen to lead here, which may be this machine's fault."""

    def lost(self, url: str, why: str) -> None: ...

    def not_yet(self, why: str) -> None:
        """It was tried to open the tunnel again."""

    def back(self, url: str) -> None: ...


@dataclass(frozen=True)
class Pace:
    """How often it is looked, in seconds."""

    tick_s: float = 0.5
    every_s: float = 15.0
    again_s: float = 3.0
    """After a question that stayed open, and while an address that is not ours is waited for."""
    waits_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
    """Between two times that a tunnel is opened; the last one again and again."""
    steady_s: float = 60.0
    """How long a tunnel must have held for its loss to be a new one."""
    give_up_s: float = 300.0


PACE = Pace()


@asynccontextmanager
async def asking(identity: str) -> AsyncIterator[LeadsHere]:
    """Of whoever answers at an address, whether it is the server with this identity."""
    fresh = httpx.Limits(max_keepalive_connections=0)
    headers = {"ngrok-skip-browser-warning": "1"}
    async with httpx.AsyncClient(timeout=_ASK_S, limits=fresh, headers=headers) as http:

        async def leads_here(url: str) -> str:
            try:
                async with asyncio.timeout(_ASK_S):
                    answer = await http.get(f"{url}/livez")
            except TimeoutError:
                return f"no answer within {_ASK_S:g} s"
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return f"nobody answers there: {type(error).__name__}"
            if answer.headers.get(HEADER) == identity:
                return ""
            reason = answer.headers.get("ngrok-error-code", "")
            return f"somebody else answers there: HTTP {answer.status_code}{reason and f', {reason}'}"

        yield leads_here


@asynccontextmanager
async def watching(watch: Watch) -> AsyncIterator[None]:
    """While the block runs; it is cancelled, and Unavailable is raised, when the tunnel was given up."""
    block = asyncio.current_task()
    assert block is not None
    task = asyncio.create_task(watch.run(), name="the watch over the tunnel")

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            block.cancel()

    task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if task.done() and not task.cancelled() and (error := task.exception()) and block.uncancel() == 0:
            raise error from None
        raise
    finally:
        task.remove_done_callback(ended)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Watch:
    """Of one public address. `moved` is told where a tunnel that was opened again is, before the face is."""

    def __init__(
        self,
        url: str,
        leads_here: LeadsHere,
        tunnel: Tunnel | None,
        moved: Callable[[str], Awaitable[None]],
        face: Face,
        pace: Pace,
    ) -> None:
        self.url = url
        self._leads_here = leads_here
        self._tunnel = tunnel
        self._moved = moved
        self._face = face
        self._pace = pace
        self._seen = False
        """Whether the address was ever seen to lead here: from some machines it cannot be."""
        self._tries = 0
        self._since_s = 0.0
        """When the tunnel was lost that has not been steady since."""
        self._opened_s = 0.0

    async def run(self) -> None:
        """Until it is cancelled. Raises Unavailable when the tunnel was given up."""
        loop = asyncio.get_running_loop()
        self._opened_s = loop.time()
        while True:
            self._face.lost(self.url, await self._lost())
            if self._tunnel is None:
                await self._returned()
            else:
                self.url = await self._reopened(self._tunnel)
                self._opened_s = loop.time()
            self._face.back(self.url)

    async def _lost(self) -> str:
        """Why it is; returns when it is."""
        loop, misses, told = asyncio.get_running_loop(), 0, False
        look_s = loop.time()
        while True:
            if self._tunnel and (why := self._tunnel.ended):
                return why
            if (self._tunnel and self._tunnel.shaken()) or loop.time() >= look_s:
                why = await self._leads_here(self.url)
                misses = misses + 1 if why else 0
                look_s = loop.time() + (self._pace.again_s if 0 < misses < _MISSES else self._pace.every_s)
                if not why:
                    told = self._first_seen(told)
                elif misses >= _MISSES and self._seen:
                    return why
                elif misses == _MISSES and not told:
                    self._face.unseen(self.url, why)
                    told = True
            await asyncio.sleep(self._pace.tick_s)

    def _first_seen(self, told: bool) -> bool:
        self._seen = True
        if told:
            self._face.back(self.url)
        return False

    async def _returned(self) -> None:
        while await self._leads_here(self.url):  # noqa: ASYNC110 - only asking tells it
            await asyncio.sleep(self._pace.again_s)

    # -- a tunnel of ours --------------------------------------------------------------------------------------------

    async def _reopened(self, tunnel: Tunnel) -> str:
        """Where it is now. Raises Unavailable."""
        loop, pace, last, why = asyncio.get_running_loop(), self._pace, "", "it does not hold"
        if loop.time() - self._opened_s >= pace.steady_s or not self._tries:
            self._tries, self._since_s = 0, loop.time()
        while True:
            if self._tries:
                if loop.time() - self._since_s >= pace.give_up_s:
                    limit = f"{pace.give_up_s / 60:g} minutes"
                    raise Unavailable(f"the tunnel could not be opened again within {limit}: {why.rstrip('.')}.")
                await asyncio.sleep(pace.waits_s[min(self._tries, len(pace.waits_s)) - 1])
            self._tries += 1
            try:
                return await self._opened(tunnel)
            except VoicebotError as error:
                why = str(error)
            if why != last:
                self._face.not_yet(last := why)

    async def _opened(self, tunnel: Tunnel) -> str:
        """It leads here, and whoever has to know its address knows it. Raises VoicebotError."""
        url = await tunnel.open()
        if self._seen and await self._leads_here(url):
            await asyncio.sleep(self._pace.again_s)
            if why := await self._leads_here(url):
                raise Unavailable(f"{url} does not lead to this machine ({why}).")
        await self._moved(url)
        return url
