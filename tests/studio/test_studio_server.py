"""The server page on a real server in this process: live calls, their events, a hand on them, and its going away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.doubles.rest_client import Rest, rest
from tests.doubles.studio import shown, until
from voicebot.errors import BadInput, Unavailable
from voicebot.studio.app import Studio
from voicebot.studio.look import Trouble
from voicebot.studio.look.ask import Confirm
from voicebot.studio.look.rows import Rows
from voicebot.studio.server.client import Client
from voicebot.studio.server.page import Server

SIZE = (140, 40)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Rest]:
    async with rest(tmp_path / "served") as client:
        yield client


def page(app: Studio) -> Server:
    return next(each for each in app.screen_stack if isinstance(each, Server))


async def connected(pilot: object, app: Studio, server: Rest, key: str = "") -> Server:
    here = page(app)
    here.query_one("#url", Input).value = f"http://{server.server.address}"
    field = here.query_one("#key", Input)
    field.value = key or server.secret
    field.focus()
    await pilot.press("enter")  # type: ignore[attr-defined]  # as run_test gives it
    await until(pilot, lambda: here.client is not None)  # type: ignore[arg-type]
    return here


async def test_a_live_call_is_watched_and_ended_from_here(dental: Path, server: Rest) -> None:
    app = Studio(dental, first="server")
    async with app.run_test(size=SIZE) as pilot:
        here = await connected(pilot, app, server)
        await until(pilot, lambda: "Nobody is talking at the moment." in shown(app))
        call, socket = await server.call()
        await until(pilot, lambda: here.query_one(Rows).items)
        await until(pilot, lambda: "Good morning, this is Ava" in shown(app))
        await until(pilot, lambda: call in shown(app))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: not here.query_one(Rows).items)
        await server.server.idle()
        await until(pilot, lambda: "call ended: agent hung up" in shown(app))
        assert (await server.http.get(f"/v1/calls/{call}")).json()["reason"] == "agent_hung_up"
        await socket.close()


async def test_a_server_is_drained_from_here_when_one_says_yes(dental: Path, tmp_path: Path) -> None:
    told: list[bool] = []
    async with rest(tmp_path / "served", stop=lambda: told.append(True)) as server:
        app = Studio(dental, first="server")
        async with app.run_test(size=SIZE) as pilot:
            await connected(pilot, app, server)
            for answer in "ny":
                assert not told
                await pilot.press("d")
                await until(pilot, lambda: isinstance(app.screen, Confirm))
                await pilot.press(answer)
                await until(pilot, lambda: app.screen is page(app))
            await until(pilot, lambda: told)
            await until(pilot, lambda: "takes no new calls: full, or stopping" in shown(app))


async def test_the_key_is_shown_and_kept_nowhere(dental: Path, server: Rest) -> None:
    app = Studio(dental, first="server")
    async with app.run_test(size=SIZE) as pilot:
        here = page(app)
        here.query_one("#key", Input).value = server.secret
        await pilot.pause()
        await until(pilot, lambda: server.secret not in shown(app))
        here = await connected(pilot, app, server)
        assert here.query_one("#key", Input).value == ""
        assert server.secret not in repr(vars(here.client))


async def test_a_wrong_key_and_a_missing_scope_are_told(dental: Path, server: Rest) -> None:
    app = Studio(dental, first="server")
    async with app.run_test(size=SIZE) as pilot:
        here = page(app)
        here.query_one("#url", Input).value = f"http://{server.server.address}"
        here.query_one("#key", Input).value = "vb_wrong"
        here.query_one("#key", Input).focus()
        await pilot.press("enter")
        await until(pilot, lambda: "does not know this key" in here.query_one(Trouble).sentence)
        assert here.client is None
        reader = (await server.key("calls:read"))["Authorization"].removeprefix("Bearer ")
        here = await connected(pilot, app, server, reader)
        _, socket = await server.call()
        await until(pilot, lambda: here.query_one(Rows).items)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "calls:write" in here.query_one(Trouble).sentence)
        await socket.close()
        await server.server.idle()


async def test_a_server_that_goes_away_leaves_the_page_usable(dental: Path, tmp_path: Path) -> None:
    app = Studio(dental, first="server")
    async with app.run_test(size=SIZE) as pilot:
        async with rest(tmp_path / "served") as server:
            here = await connected(pilot, app, server)
            _, socket = await server.call()
            await until(pilot, lambda: "Good morning, this is Ava" in shown(app))
            await socket.close()
            await server.server.idle()
            await until(pilot, lambda: "call ended: caller hung up" in shown(app))
        await until(pilot, lambda: "cannot be reached" in here.query_one(Trouble).sentence)
        await until(pilot, lambda: "call ended: caller hung up" in shown(app))
        await pilot.press("x")
        await until(pilot, lambda: here.client is None)
        await until(pilot, lambda: "Connect to a server" in shown(app))


async def test_nothing_listens_there(dental: Path) -> None:
    app = Studio(dental, first="server")
    async with app.run_test(size=(80, 24)) as pilot:
        page(app).query_one("#url", Input).value = "http://127.0.0.1:1"
        page(app).query_one("#key", Input).value = "vb_x"
        page(app).query_one("#key", Input).focus()
        await pilot.press("enter")
        await until(pilot, lambda: "nobody answers there" in page(app).query_one(Trouble).sentence)


async def test_the_sound_of_a_live_call_comes_as_it_is_recorded(server: Rest) -> None:
    call, socket = await server.call()
    client = Client(f"http://{server.server.address}", server.secret)
    heard = bytearray()

    async def listen() -> None:
        async for piece in client.sound(call):
            heard.extend(piece)

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(20):
        while len(heard) < 44 + 8000:
            await socket.send(b"\1\0" * 320)
            await asyncio.sleep(0.02)
        assert heard[:4] == b"RIFF"
        await socket.close()
        await listening  # it ends with the call
    with pytest.raises(BadInput, match="only while the call runs"):
        async for _ in client.sound(call):
            pass
    await client.close()
    await server.server.idle()


@pytest.mark.parametrize("url", ["", "ftp://x", "http://key@host", "http://host/?key=1"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(BadInput, match="address"):
        Client(url, "vb_x")


async def test_an_answer_that_is_none_of_ours_is_told() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        client = Client(f"127.0.0.1:{other.sockets[0].getsockname()[1]}", "vb_x")
        with pytest.raises((BadInput, Unavailable)):
            await client.live()
        await client.close()
