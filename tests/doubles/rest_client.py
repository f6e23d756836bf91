"""A server in this process and a client of its REST interface, with an API key that may do everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.doubles.phone_server import Served, served
from voicebot.server.state import SCOPES

FLOW = """\
name: Bea
greeting: Hello, this is Bea.
flow:
  goals:
    hours: {title: ask for the opening hours, examples: [when are you open], done: From nine to five.}
"""
"""An agent that needs nothing of the server."""


@dataclass
class Rest:
    server: Served
    http: httpx.AsyncClient
    secret: str

    async def key(self, *scopes: str, name: str = "other") -> dict[str, str]:
        """The headers of somebody who may do only this."""
        _, secret = await self.server.site.state.keys.create(name, scopes)
        return {"Authorization": f"Bearer {secret}"}

    def websocket(self, path: str, **options: Any) -> connect:
        return connect(f"ws://{self.server.address}{path}", **options)

    async def call(self, **hello: Any) -> tuple[str, ClientConnection]:
        """A live call: its id, and its socket."""
        created = (await self.http.post("/v1/calls", json={"agent": "ava", "caller": "Maria"})).json()
        socket = await connect(created["stream_url"])
        await socket.send('{"type":"hello"}')
        async for message in socket:
            if isinstance(message, bytes):
                break  # the agent speaks, so the call has begun
        return created["id"], socket


@asynccontextmanager
async def rest(root: Path, **settings: Any) -> AsyncIterator[Rest]:
    async with served(root, **settings) as server:
        _, secret = await server.site.state.keys.create("tests", SCOPES)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(base_url=f"http://{server.address}", headers=headers, timeout=10) as http:
            yield Rest(server, http, secret)
