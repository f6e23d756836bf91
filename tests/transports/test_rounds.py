"""Sockets that are read together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from voicebot.transports.rounds import ROUND_S, Rounds

A_WHILE_S = 5 * ROUND_S


class End(asyncio.Protocol):
    """The server's end of a connection: joins the rounds as soon as it is established."""

    def __init__(self, rounds: Rounds, breaks: bool) -> None:
        self.read: list[bytes] = []
        self.eof = False
        self.lost = asyncio.Event()
        self._rounds, self._breaks = rounds, breaks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        asyncio.get_running_loop().call_soon(self._rounds.join, self.transport, self)

    def data_received(self, data: bytes) -> None:
        if self._breaks:
            raise RuntimeError("a mistake of ours")
        self.read.append(data)

    def eof_received(self) -> None:
        self.eof = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._rounds.leave(self.transport)
        self.lost.set()


@pytest.fixture(params=["asyncio", "uvloop"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    if request.param == "asyncio":
        return asyncio.DefaultEventLoopPolicy()
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed (extra 'server')")
    return cast(asyncio.AbstractEventLoopPolicy, uvloop.EventLoopPolicy())


@asynccontextmanager
async def connections(*breaks: bool) -> AsyncIterator[list[tuple[End, asyncio.StreamWriter]]]:
    """Both ends of some, of which those that are True break when they read."""
    rounds, kinds = Rounds(), list(breaks)
    ends: list[End] = []

    def end() -> End:
        ends.append(End(rounds, kinds[len(ends)]))
        return ends[-1]

    server = await asyncio.get_running_loop().create_server(end, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writers = []
    for count in range(1, len(breaks) + 1):
        writers.append((await asyncio.open_connection("127.0.0.1", port))[1])
        while len(ends) < count:  # noqa: ASYNC110 - the kernel accepts before the server does
            await asyncio.sleep(0.001)
    try:
        yield list(zip(ends, writers, strict=True))
    finally:
        for writer in writers:
            writer.close()
        server.close()


async def test_each_gets_what_was_sent_to_it_in_order():
    async with connections(False, False) as ((one, to_one), (two, to_two)):
        for number in range(20):
            to_one.write(b"%d " % number)
            to_two.write(b"x")
            await asyncio.sleep(0.003)
        await asyncio.sleep(A_WHILE_S)
        assert b"".join(one.read) == b"".join(b"%d " % number for number in range(20))
        assert b"".join(two.read) == 20 * b"x"
        assert len(one.read) < 15  # together, not one by one


async def test_one_that_hangs_up_is_noticed():
    async with connections(False, False) as ((one, to_one), (two, to_two)):
        to_one.write(b"last words")
        to_one.close()
        async with asyncio.timeout(1):
            await one.lost.wait()
        assert one.eof
        assert one.read == [b"last words"]
        to_two.write(b"still here")
        await asyncio.sleep(A_WHILE_S)
        assert two.read == [b"still here"]


async def test_one_that_breaks_is_cut_off_and_the_others_go_on():
    async with connections(True, False) as ((one, to_one), (two, to_two)):
        to_one.write(b"x")
        async with asyncio.timeout(1):
            await one.lost.wait()
        to_two.write(b"still here")
        await asyncio.sleep(A_WHILE_S)
        assert two.read == [b"still here"]


async def test_one_that_we_close_is_read_no_more():
    async with connections(False) as ((end, writer),):
        end.transport.close()
        writer.write(b"too late")
        async with asyncio.timeout(1):
            await end.lost.wait()
        await asyncio.sleep(A_WHILE_S)
        assert end.read == []


async def test_rounds_begin_again_after_everybody_has_left():
    async with connections(False, False) as ((one, to_one), (two, to_two)):
        to_one.close()
        to_two.close()
        async with asyncio.timeout(1):
            await one.lost.wait()
            await two.lost.wait()
        await asyncio.sleep(A_WHILE_S)
        late = End(one._rounds, False)
        server = await asyncio.get_running_loop().create_server(lambda: late, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        await asyncio.sleep(A_WHILE_S)
        assert late.read == [b"hello"]
        writer.close()
        server.close()
