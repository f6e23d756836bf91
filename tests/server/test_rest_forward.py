"""Any worker can be asked about any call: the request goes where the call is, once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.doubles.phone_server import parts_of, served
from tests.doubles.rest_client import Rest, rest
from voicebot.call.opening import new_id
from voicebot.server.app import build
from voicebot.server.capacity.board import Board
from voicebot.server.site import Site
from voicebot.server.state import CallRow
from voicebot.server.streams import route
from voicebot.transports.served import upgrades


@asynccontextmanager
async def worker_beside(client: Rest, greeting: str = "Hello.") -> AsyncIterator[Site]:
    """Worker 1 of the same server, behind its door."""
    settings = client.server.site.settings
    assert settings.run_dir
    board = Board.create(settings.run_dir / "board", 2)
    async with Site.open(settings, 1, board, parts_of([], greeting)) as site:
        config = uvicorn.Config(
            build(site), uds=str(settings.door(1)), ws=upgrades(route(site)), lifespan="off", log_level="warning"
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server._serve(None))
        while not server.started:  # noqa: ASYNC110 - uvicorn has nothing to wait for
            await asyncio.sleep(0.01)
        try:
            yield site
        finally:
            server.should_exit = True
            await running


async def call_beside(client: Rest, site: Site) -> tuple[str, ClientConnection]:
    """A live call of worker 1."""
    created = (await client.http.post("/v1/calls", json={"agent": "ava"})).json()
    path = created["stream_url"].partition("/v1/")[2]
    socket = await unix_connect(str(site.settings.door(1)), uri=f"ws://worker/v1/{path}")
    await socket.send('{"type":"hello"}')
    async for message in socket:
        if isinstance(message, bytes):
            break
    assert created["id"] in site.desk.live
    return created["id"], socket


@pytest.fixture
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


async def test_a_call_of_the_worker_beside_is_watched_and_acted_in(tmp_path, run_dir):
    async with rest(tmp_path, run_dir=run_dir) as client, worker_beside(client) as beside:
        call_id, socket = await call_beside(client, beside)
        path, asks = f"/v1/calls/{call_id}", {"Authorization": f"Bearer {client.secret}"}
        assert call_id not in client.server.site.desk.live
        async with client.websocket(f"{path}/events", additional_headers=asks) as watcher:
            assert json.loads(await watcher.recv())["event"]["type"] == "call_started"
            said = await client.http.post(f"{path}/say", json={"text": "Somebody listens."})
            assert (said.status_code, said.json()["id"]) == (202, call_id)
            assert (await client.http.get(f"{path}/recording")).status_code == 409
            async with client.http.stream("GET", f"{path}/events?after=1") as stream, asyncio.timeout(10):
                assert stream.status_code == 200
                async for line in stream.aiter_lines():
                    if "Somebody listens." in line:
                        break
            assert (await client.http.post(f"{path}/end")).status_code == 202
            seen = [json.loads(message) async for message in watcher]
        assert seen[-1]["event"]["type"] == "call_ended"
        assert seen[-1]["event"]["detail"] == "ended with the API key 'tests'"
        assert watcher.close_code == 1000
        await socket.close()
        while (await client.http.get(path)).json()["state"] == "live":  # noqa: ASYNC110 - as a client would
            await asyncio.sleep(0.02)
        assert (await client.http.get(f"{path}/recording")).content.startswith(b"RIFF")
        over = await client.http.post(f"{path}/end")
        assert (over.status_code, over.json()["detail"]) == (409, "This call has ended.")


async def test_what_the_other_worker_refuses_is_passed_on(tmp_path, run_dir):
    async with rest(tmp_path, run_dir=run_dir) as client, worker_beside(client) as beside:
        call_id, socket = await call_beside(client, beside)
        long = {"text": "Again and again. " * 20}  # none is over before the last is asked for
        answers = [await client.http.post(f"/v1/calls/{call_id}/say", json=long) for _ in range(20)]
        assert answers[-1].status_code == 409
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert answers[-1].json()["title"] == "Too much to say"
        await socket.close()


async def test_a_worker_that_is_gone_is_said_to_be(tmp_path, run_dir):
    async with rest(tmp_path, run_dir=run_dir) as client:
        site = client.server.site
        await site.state.calls.begin(CallRow(call_id := new_id(), "ava", "websocket", machine=site.machine, worker=1))
        for method, path in (("POST", "end"), ("GET", "events")):
            answer = await client.http.request(method, f"/v1/calls/{call_id}/{path}")
            assert (answer.status_code, answer.json()["title"]) == (503, "Unavailable")
            assert answer.headers["retry-after"] == "5"
        asks = {"Authorization": f"Bearer {client.secret}"}
        with pytest.raises(InvalidStatus) as refused:
            await client.websocket(f"/v1/calls/{call_id}/events", additional_headers=asks)
        assert refused.value.response.status_code == 503


async def test_a_worker_that_dies_breaks_its_watchers_off_and_they_know_to_come_again(tmp_path, run_dir):
    async with rest(tmp_path, run_dir=run_dir) as client:
        asks = {"Authorization": f"Bearer {client.secret}"}

        async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.write(b'17\r\nid: 1\ndata: {"type":1}\n\n\r\n')
            await writer.drain()
            writer.transport.abort()

        site = client.server.site
        await site.state.calls.begin(CallRow(call_id := new_id(), "ava", "websocket", machine=site.machine, worker=1))
        dying = await asyncio.start_unix_server(half, site.settings.door(1))
        async with dying:
            async with client.websocket(f"/v1/calls/{call_id}/events", additional_headers=asks) as watcher:
                assert await watcher.recv() == '{"id":1,"event":{"type":1}}'
                with pytest.raises(ConnectionClosedError):
                    await watcher.recv()
            assert watcher.close_code == 1013
            streamed = await client.http.get(f"/v1/calls/{call_id}/events")
        assert streamed.text == 'id: 1\ndata: {"type":1}\n\n: too slow; come again with Last-Event-ID\n\n'


async def test_a_request_is_forwarded_once(tmp_path, run_dir):
    async with rest(tmp_path, run_dir=run_dir) as client, worker_beside(client):
        site = client.server.site
        await site.state.calls.begin(CallRow(call_id := new_id(), "ava", "websocket", machine=site.machine, worker=0))
        nobody = await client.http.post(f"/v1/calls/{call_id}/end", headers={"Voicebot-Hop": "1"})
        assert nobody.status_code == 409
        await site.state.calls.begin(CallRow(call_id := new_id(), "ava", "websocket", machine=site.machine, worker=1))
        over_there = await client.http.post(f"/v1/calls/{call_id}/end")
        assert (over_there.status_code, over_there.json()["title"]) == (409, "Call is not live")


async def test_what_another_machine_has_on_its_disk_is_fetched_there(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    database = f"sqlite:///{tmp_path / 'state.db'}"
    async with rest(here, database=database) as client, rest_of_another(there, database, client) as other:
        far, socket = await other.call()
        await socket.close()
        await other.server.idle()
        record = (there / "calls" / far / "events.jsonl").read_text().splitlines()
        await other.server.site.state.calls.begin(
            CallRow(call_id := new_id(), "ava", "websocket", machine=f"http://{other.server.address}")
        )
        await other.server.site.state.calls.ended(call_id, "caller_hung_up")
        (there / "calls" / far).rename(there / "calls" / call_id)
        part = await client.http.get(f"/v1/calls/{call_id}/recording", headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"RIFF")
        assert part.headers["content-range"].startswith("bytes 0-3/")
        streamed = await client.http.get(f"/v1/calls/{call_id}/events")
        assert [line[6:] for line in streamed.text.splitlines() if line.startswith("data: ")] == record
        assert (await client.http.get(f"/v1/calls/{call_id}/events?after=999")).status_code == 204


@asynccontextmanager
async def rest_of_another(root: Path, database: str, client: Rest) -> AsyncIterator[Rest]:
    """A server with the same database and a disk of its own; the first one's key is good there."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(served(root, database=database, port=1))
        http = httpx.AsyncClient(base_url=f"http://{server.address}", headers=client.http.headers)
        yield Rest(server, await stack.enter_async_context(http), client.secret)
