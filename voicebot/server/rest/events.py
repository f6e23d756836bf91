"""The events of a call for those who watch it: of a running one as they happen, of one that is over from its record.

As server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) and over a websocket. Each has
its number in the call, so that who was cut off goes on where they were. Who does not read is let go; no call waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import cast

import httpx
from starlette.requests import HTTPConnection
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from voicebot.server.rest.forward import Forward
from voicebot.server.rest.problems import Problem, not_found
from voicebot.server.site import Site
from voicebot.server.state import CallRow
from voicebot.server.watching import Told, TooSlow, read
from voicebot.store.record import EVENTS

HEARTBEAT_S = 15.0
"""With nothing to tell for so long, a comment shows that the line is up."""
SLOW_S = 20.0
"""Who takes nothing for so long is let go."""
_OVER, _TRY_AGAIN = 1000, 1013
"""Close codes: of RFC 6455, and of the registry that it has begun."""
_LEFT_BEHIND = ": too slow; come again with Last-Event-ID"

Feed = AsyncIterator[Told]


@asynccontextmanager
async def feed(
    site: Site, forward: Forward, row: CallRow, after: int, connection: HTTPConnection
) -> AsyncIterator[Feed]:
    """The events behind the `after`-th, wherever the call is or was. Raises Problem, and the feed TooSlow."""
    if row.state == "expected":
        raise Problem(409, "Call is not live", "This call has not begun: nobody has opened its stream.")
    if live := site.desk.live.get(row.id):
        async with aclosing(cast(AsyncGenerator[Told, None], live.watch(after))) as told:
            yield told
    elif forward.elsewhere(row, connection, any_worker=row.state != "live"):
        async with forward.events(row, after, connection.headers) as lines:
            yield _numbered(lines)
    else:
        yield _each(await asyncio.get_running_loop().run_in_executor(None, _recorded, site, row.id, after))


def _recorded(site: Site, call_id: str, after: int) -> list[Told]:
    """Raises Problem."""
    if folder := site.settings.calls_dir:
        try:
            return read(folder / call_id / EVENTS, after)
        except FileNotFoundError:
            pass
    raise not_found(f"There is no record of the call '{call_id}'.")


async def _each(told: Iterable[Told]) -> Feed:
    for one in told:
        yield one


async def peeked(told: Feed) -> Feed | None:
    """The same events; None when there are none, which needs a feed that does not wait for any."""
    if (first := await anext(told, None)) is None:
        return None

    async def all_of_them() -> Feed:
        yield first
        async for one in told:
            yield one

    return all_of_them()


async def _numbered(lines: AsyncIterator[str]) -> Feed:
    """Of the stream that another worker sends. Raises TooSlow as well when it breaks off: come again."""
    number = 0
    try:
        async for line in lines:
            name, _, value = line.partition(": ")
            if name == "id":
                number = int(value)
            elif name == "data":
                yield Told(number, "", value)
            elif line == _LEFT_BEHIND:
                raise TooSlow
    except httpx.TransportError:
        raise TooSlow from None


class EventStream(StreamingResponse):
    """Server-sent events. `opened` is left when the client is gone, or lets it wait for too long."""

    media_type = "text/event-stream"

    def __init__(self, told: Feed, opened: AsyncExitStack) -> None:
        super().__init__(_lines(told), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(SLOW_S):
                await send(message)

        async with self._opened:
            try:
                await super().__call__(scope, receive, in_time)
            except TimeoutError:
                return


async def _lines(told: Feed) -> AsyncIterator[bytes]:
    async with aclosing(_with_pauses(told)) as paced:
        try:
            async for one in paced:
                yield b": still here\n\n" if one is None else f"id: {one.number}\ndata: {one.line}\n\n".encode()
        except TooSlow:
            yield f"{_LEFT_BEHIND}\n\n".encode()


async def _with_pauses(told: Feed) -> AsyncGenerator[Told | None, None]:
    """The same, and None whenever nothing has come for HEARTBEAT_S."""
    coming = asyncio.ensure_future(anext(told, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=HEARTBEAT_S)
            if not done:
                yield None
                continue
            if (one := coming.result()) is None:
                return
            yield one
            coming = asyncio.ensure_future(anext(told, None))
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def over_websocket(socket: WebSocket, told: Feed) -> None:
    """The same as messages {"id": 12, "event": {...}}, until the call is over or the client is gone."""
    await socket.accept()
    gone = asyncio.create_task(_gone(socket))
    sending = asyncio.create_task(_send(socket, told))
    try:
        await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (gone, sending):
            task.cancel()
        await asyncio.gather(gone, sending, return_exceptions=True)


async def _gone(socket: WebSocket) -> None:
    """Returns when the client has left. What it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _send(socket: WebSocket, told: Feed) -> None:
    """Who does not read gets no goodbye either: it would have to wait for them."""
    code = _OVER
    with suppress(TimeoutError, WebSocketDisconnect):
        try:
            async for one in told:
                async with asyncio.timeout(SLOW_S):
                    await socket.send_text(f'{{"id":{one.number},"event":{one.line}}}')
        except TooSlow:
            code = _TRY_AGAIN
        async with asyncio.timeout(SLOW_S):
            await socket.close(code)
