"""A caller on the websocket of a real server who presses a key, and stays on the line.

async with AsyncExitStack() as line:
    pid = await a_call(http, line)      # the process that has it; the line is closed with the stack
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect


async def a_call(http: httpx.AsyncClient, stack: AsyncExitStack) -> int:
    """A call that goes on until the stack is closed: the caller has pressed a key, and begins to hear the answer. The
    process that has it."""
    socket, pid = await a_greeted_call(http, stack)
    await socket.send('{"type":"keys","keys":"1#"}')
    await _told(socket, "turn_ended")
    await _told(socket, "agent_speech_started")
    return pid


async def a_greeted_call(http: httpx.AsyncClient, stack: AsyncExitStack) -> tuple[ClientConnection, int]:
    """The same before the key: the line, and the process that has the call."""
    socket = await stack.enter_async_context(connect(await _a_stream(http)))
    await socket.send('{"type":"hello","events":true}')
    pid: int = (await _told(socket, "call_started"))["pid"]
    await _told(socket, "agent_speech_stopped")
    return socket, pid


async def _a_stream(http: httpx.AsyncClient) -> str:
    """On a machine that is busy with other things a worker may take none for a moment."""
    async with asyncio.timeout(60):
        while True:
            created = await http.post("/v1/calls", json={"agent": "ava"})
            if created.status_code == 201:
                return str(created.json()["stream_url"])
            await asyncio.sleep(0.2)


async def _told(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next event of this type."""
    async with asyncio.timeout(30):
        async for message in socket:
            if isinstance(message, str) and (found := json.loads(message)).get("type") == "event":
                event: dict[str, Any] = found["event"]
                if event["type"] == kind:
                    return event
    raise AssertionError(f"the line ended before {kind}")
