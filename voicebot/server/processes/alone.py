"""A whole server in this process: for a developer at a terminal, with few calls and everything to be seen.

    with listen("127.0.0.1", 0) as listening:
        async with serving(settings, listening, watch) as site: ...

`watch` is told of each call before its first event, and gives who is to see its events.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voicebot.errors import Unavailable
from voicebot.server import state
from voicebot.server.agents import Agents
from voicebot.server.app import build
from voicebot.server.capacity.board import Board
from voicebot.server.desk import STOPS, Parts, Watch
from voicebot.server.processes.front import Front
from voicebot.server.processes.preload import preload
from voicebot.server.settings import Settings
from voicebot.server.site import Site
from voicebot.server.streams import route

_LAST_WORDS_S = 3.0
"""How long calls that are ended with the server may take to write their records."""


@asynccontextmanager
async def serving(
    settings: Settings, listening: socket.socket, watch: Watch, parts: Parts | None = None
) -> AsyncIterator[Site]:
    """Ready when it is entered; at the end the calls that still run are ended. Raises BadInput, Unavailable."""
    await asyncio.to_thread(state.migrate, state.default_url(settings))
    report = await preload(Agents(settings.project), parts)
    if not report.agents:
        raise Unavailable(f"no agent can be called: {report.broken[0]}")
    async with Site.open(settings, board=Board.alone(), parts=parts) as site:
        site.desk.watch = watch
        front = Front(build(site), route(site))
        await front.start()
        accepting = asyncio.create_task(_accept(listening, front))
        site.row.ready = True
        try:
            yield site
        finally:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
            await _end(site)
            await front.stop()


async def _accept(listening: socket.socket, front: Front) -> None:
    loop = asyncio.get_running_loop()
    while True:
        connection, _ = await loop.sock_accept(listening)
        front.take(connection)


async def _end(site: Site) -> None:
    site.admission.draining = True
    for live in list(site.desk.live.values()):
        live.end(STOPS)
    await site.desk.drain(_LAST_WORDS_S)
