"""uvicorn without a listening socket of its own: it is given connections that the supervisor has accepted."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from loguru import logger

from voicebot.server.processes.patience import Prompt
from voicebot.transports.served import Route, upgrades

_LEAVE_S = 5
"""How long answers that are under way may still take when the server stops."""
_KEEP_ALIVE_S = 30

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class Front:
    """One worker's. `start`, then `take` and `listen`; `stop` waits for what is under way."""

    def __init__(self, app: App, route: Route) -> None:
        self._config = uvicorn.Config(
            app,
            ws=upgrades(route),
            ws_per_message_deflate=False,
            http=Prompt,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_LEAVE_S,
        )
        self._server = uvicorn.Server(self._config)
        self._connecting: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._config.load()
        self._server.lifespan = self._config.lifespan_class(self._config)
        await self._server.startup(sockets=[])
        await self._server.on_tick(0)
        self._ticking = asyncio.create_task(self._server.main_loop())

    async def listen(self, path: Path) -> None:
        """At a unix socket besides, for this user only."""
        before = os.umask(0o177)
        try:
            door = await asyncio.get_running_loop().create_unix_server(self._protocol, path)
        finally:
            os.umask(before)
        self._server.servers.append(door)

    def take(self, connection: socket.socket) -> None:
        """An accepted connection is this worker's from now on."""
        task = asyncio.create_task(self._connect(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def stop(self) -> None:
        self._server.should_exit = True
        await self._ticking
        await self._server.shutdown()

    async def _connect(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        except OSError as error:  # it was gone before it was here
            logger.debug(f"a connection was lost on its way to the worker: {error}")
            connection.close()

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self._config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self._config, server_state=self._server.server_state, app_state=self._server.lifespan.state
        )
        return protocol


def one_request_each(app: App) -> App:
    """Every answer ends its connection, so that each request, and each call, goes where there is most room. A worker
    cannot hand over a connection that it has begun to read."""

    async def answer(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        await app(scope, receive, closing if scope["type"] == "http" else send)

    return answer
