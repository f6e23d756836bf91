"""Websockets as the server has them: a real uvicorn, real clients, the loopback network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.doubles.sockets import Dialled
from tests.doubles.twilio_stream import TwilioStream
from voicebot.transports import twilio
from voicebot.transports.dialect import MOST_BYTES, Message, SocketClosed
from voicebot.transports.link import Link
from voicebot.transports.served import ServedSocket, Upgrade, upgrades

uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")


async def application(scope: Any, receive: Any, send: Any) -> None:
    """What the server has besides: a page, and a websocket that repeats one message."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    message = await receive()
    await send({"type": "websocket.send", "text": f"usual {message['text']}"})
    await send({"type": "websocket.close"})


@asynccontextmanager
async def serving(handler: Callable[[Upgrade], Awaitable[None]]) -> AsyncIterator[str]:
    """Its address, host and port; `handler` is at /stream."""
    config = uvicorn.Config(
        application, port=0, ws=upgrades({"/stream": handler}.get), lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve(None))
    while not server.started:  # noqa: ASYNC110 - uvicorn has nothing to wait for
        await asyncio.sleep(0.01)
    try:
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def on_socket(
    handler: Callable[[ServedSocket], Awaitable[None]],
) -> AsyncIterator[tuple[ClientConnection, asyncio.Future[None]]]:
    """(a client whose other end `handler` has, what comes of the handler)."""
    came_of_it: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def handle(upgrade: Upgrade) -> None:
        try:
            await handler(upgrade.accept())
            came_of_it.set_result(None)
        except BaseException as error:
            came_of_it.set_exception(error)
            raise

    async with serving(handle) as address, connect(f"ws://{address}/stream", compression=None) as client:
        yield client, came_of_it


async def echo(socket: ServedSocket) -> None:
    while True:
        await socket.send(await socket.receive())


async def test_messages_go_both_ways_as_they_are_and_a_goodbye_is_a_goodbye():
    async with on_socket(echo) as (client, handled):
        for message in ("text é", b"\x00\xff", "", b"", "x" * MOST_BYTES):
            await client.send(message)
            assert await client.recv() == message
        await client.send(["in ", "three ", "parts"])
        assert await client.recv() == "in three parts"
        await client.close(1001, "leaving")
        with pytest.raises(SocketClosed, match="1001 leaving") as closed:
            await handled
    assert closed.value.clean


async def test_everything_else_goes_the_usual_way():
    async def never(upgrade: Upgrade) -> None:
        raise AssertionError

    async with serving(never) as address, httpx.AsyncClient() as http:
        assert (await http.get(f"http://{address}/stream")).text == "page"
        async with connect(f"ws://{address}/other") as client:
            await client.send("way")
            assert await client.recv() == "usual way"
            with pytest.raises(ConnectionClosed):
                await client.recv()


async def test_a_call_that_cannot_be_taken_is_refused_before_it_begins():
    seen: list[str] = []

    async def full(upgrade: Upgrade) -> None:
        seen.append(f"{upgrade.path} {upgrade.headers['x-twilio-signature']} {upgrade.client}")
        upgrade.refuse(503, "no line is free\n", {"Retry-After": "5"})

    async with serving(full) as address:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{address}/stream?a=1", additional_headers={"X-Twilio-Signature": "s"})
    response = refused.value.response
    assert (response.status_code, response.headers["Retry-After"], response.body) == (503, "5", b"no line is free\n")
    assert seen == ["/stream?a=1 s 127.0.0.1"]


async def test_a_plain_request_dressed_as_an_upgrade_is_refused():
    async with on_socket(echo) as (client, _):
        address = "{}:{}".format(*client.remote_address)
        async with httpx.AsyncClient() as http:
            strange = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "1"}
            assert (await http.get(f"http://{address}/stream", headers=strange)).status_code in (400, 426)


@pytest.mark.parametrize("accepts", [True, False])
async def test_a_handler_that_breaks_tells_the_client_nothing_but_the_end(accepts: bool):
    async def broken(upgrade: Upgrade) -> None:
        if accepts:
            upgrade.accept()
        raise RuntimeError("the secret is out")

    async with serving(broken) as address:
        if accepts:
            async with connect(f"ws://{address}/stream") as client:
                with pytest.raises(ConnectionClosed) as closed:
                    await client.recv()
                assert "secret" not in str(closed.value)
        else:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://{address}/stream")
            assert refused.value.response.status_code == 500
            assert b"secret" not in (refused.value.response.body or b"")


@pytest.mark.parametrize(("message", "code"), [("x" * (MOST_BYTES + 1), 1009), (["x" * MOST_BYTES, "x"], 1009)])
async def test_an_oversized_message_is_never_gathered(message: Any, code: int):
    async with on_socket(echo) as (client, handled):
        await client.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == code
        with pytest.raises(SocketClosed, match="1009") as lost:
            await handled
    assert not lost.value.clean


async def test_text_that_is_none_closes_the_socket():
    async with on_socket(echo) as (client, handled):
        client.protocol.send_text(b"\xff\xfe")
        client.send_data()
        with pytest.raises(ConnectionClosed, match="1007"):
            await client.recv()
        with pytest.raises(SocketClosed):
            await handled


async def test_a_client_that_is_gone_without_a_word_is_noticed():
    async with on_socket(echo) as (client, handled):
        client.transport.abort()
        with pytest.raises(SocketClosed, match="1006") as lost:
            await handled
    assert not lost.value.clean


async def test_many_messages_wait_for_a_slow_reader_and_none_is_lost():
    async def slow(socket: ServedSocket) -> None:
        await asyncio.sleep(0.2)
        for number in range(500):
            assert await socket.receive() == str(number)

    async with on_socket(slow) as (client, handled):
        for number in range(500):
            await client.send(str(number))
        await handled


async def test_messages_that_came_before_somebody_listens_come_first():
    taken: list[Message] = []
    lost: list[SocketClosed] = []

    async def late(socket: ServedSocket) -> None:
        await asyncio.sleep(0.1)
        socket.listen(taken.append, lost.append)
        while not lost:  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.01)

    async with on_socket(late) as (client, handled):
        for number in range(100):
            await client.send(str(number))
        await asyncio.sleep(0.2)
        await client.send("last")
        await client.close()
        await handled
    assert taken == [*map(str, range(100)), "last"]
    assert lost[0].clean


async def test_sending_waits_for_a_client_that_does_not_read():
    async def pours(socket: ServedSocket) -> None:
        async with asyncio.timeout(0.5):
            while True:
                await socket.send(bytes(1 << 20))

    async with on_socket(pours) as (client, handled):
        client.transport.pause_reading()
        with pytest.raises(TimeoutError):
            await handled
        client.transport.abort()


async def test_a_server_that_stops_says_so():
    ends: list[str] = []

    async def wait(upgrade: Upgrade) -> None:
        try:
            await upgrade.accept().receive()
        except SocketClosed as closed:
            ends.append(str(closed))

    async with serving(wait) as address:
        client = await connect(f"ws://{address}/stream")
    with pytest.raises(ConnectionClosed, match="1001"):
        await client.recv()
    assert len(ends) == 1


def test_the_same_on_uvloop():
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed (extra 'server')")
    uvloop.run(test_a_telephone_call_over_the_network())


async def test_a_telephone_call_over_the_network() -> None:
    """The caller hears what the agent plays, the agent hears the caller, and marks tell how much was heard."""
    heard, played = bytearray(), []

    class Listener:
        def audio(self, pcm: bytes) -> None:
            heard.extend(pcm)

        def text(self, text: str) -> None:
            raise AssertionError

    async def handle(upgrade: Upgrade) -> None:
        leg = await twilio.answer(upgrade.accept())
        leg.play(np.full(2400, 4000, np.int16).tobytes())
        assert await leg.run(Listener()) == "caller_hung_up"
        played.append(leg.played())
        await leg.hang_up()

    phone = Link("+15550100", rate_hz=8000)
    async with serving(handle) as address, connect(f"ws://{address}/stream", compression=None) as connection:
        stream = TwilioStream(phone, Dialled(connection))
        running = asyncio.create_task(stream.run())
        await phone.speak(np.full(4000, 9000, np.int16).tobytes())
        phone.hang_up()
        await running
        await asyncio.sleep(0.1)
    assert played == [2400]
    assert stream.spoken == 2400
    assert (np.abs(np.frombuffer(heard, np.int16)) > 8000).sum() == 4000
