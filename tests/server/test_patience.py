"""Whoever does not come to the end of a request is sent away, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect

from voicebot.server.processes import patience
from voicebot.transports.dialect import SocketClosed
from voicebot.transports.served import Upgrade, upgrades

SHORT_S = 0.3
SOON_S = 3.0


async def echo(upgrade: Upgrade) -> None:
    socket = upgrade.accept()
    with suppress(SocketClosed):
        while True:
            await socket.send(await socket.receive())


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Of a server that waits for a body, and then for as long as the body says before it answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        await asyncio.sleep(float(body or b"0"))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    monkeypatch.setattr(patience, "PATIENCE_S", SHORT_S)
    echoing = upgrades(lambda path: echo if path == "/echo" else None)
    config = uvicorn.Config(app, port=0, http=patience.Prompt, ws=echoing, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve(None))
    while not server.started:  # noqa: ASYNC110 - uvicorn has nothing to wait for
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def ends_after_s(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dribble: bytes) -> float:
    """How long the server listened to somebody who says something all the time."""
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    ended = asyncio.ensure_future(reader.read())
    while not ended.done() and loop.time() - begun_s < SOON_S:
        writer.write(dribble)
        await asyncio.wait([ended], timeout=0.05)
    ended.cancel()
    writer.close()
    return loop.time() - begun_s


@pytest.mark.parametrize(
    ("beginning", "dribble"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n", id="headers without end"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b"0", id="a body without end"),
    ],
)
async def test_who_does_not_come_to_the_end_is_sent_away(port: int, beginning: bytes, dribble: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    assert SHORT_S <= await ends_after_s(reader, writer, dribble) < SOON_S


async def test_who_waits_for_an_answer_may_wait(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n0.6")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(2 * SHORT_S)  # and may be silent between two requests
    writer.close()


async def test_a_second_request_that_never_ends_is_sent_away_too(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"ok")
    writer.write(b"GET / HTTP/1.1\r\n")
    assert await ends_after_s(reader, writer, b"X: y\r\n") < SOON_S


async def test_a_call_may_last(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/echo") as socket:
        for number in range(4):
            await asyncio.sleep(SHORT_S / 2)
            await socket.send(str(number))
            assert await socket.recv() == str(number)
        await asyncio.sleep(2 * SHORT_S)
        await socket.send("still there?")
        assert await socket.recv() == "still there?"
