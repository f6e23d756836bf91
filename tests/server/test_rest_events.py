"""The events of a call: as server-sent events and over a websocket, from the beginning or from where one was."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from tests.doubles.rest_client import Rest, rest
from voicebot.events import TranscriptInterim
from voicebot.server.rest import events as served_events


async def sse(answer: httpx.Response, until: str = "") -> list[tuple[int, dict[str, Any]]]:
    """(number, event) of a stream, up to the first event of the type `until`."""
    found = []
    number = 0
    async for line in answer.aiter_lines():
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("data: "):
            found.append((number, json.loads(line[6:])))
            if found[-1][1]["type"] == until:
                break
    return found


async def watch(client: Rest, call_id: str, query: str = "", **headers: str) -> list[tuple[int, dict[str, Any]]]:
    async with client.http.stream("GET", f"/v1/calls/{call_id}/events{query}", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        return await sse(answer)


def authorized(client: Rest) -> dict[str, dict[str, str]]:
    return {"additional_headers": {"Authorization": f"Bearer {client.secret}"}}


async def test_a_watcher_sees_all_of_a_call_until_it_is_over_and_the_record_says_the_same(tmp_path):
    async with rest(tmp_path, greeting="Hello.") as client:
        call_id, socket = await client.call()
        watching = asyncio.create_task(watch(client, call_id))
        async with client.websocket(f"/v1/calls/{call_id}/events", **authorized(client)) as other:
            await socket.send(json.dumps({"type": "keys", "keys": "42#"}))
            await asyncio.sleep(0.1)
            await socket.close()
            over_socket = [json.loads(message) async for message in other]
            assert other.close_code == 1000
        seen = await asyncio.wait_for(watching, 5)
        await client.server.idle()
        record = [json.loads(line) for line in (tmp_path / "calls" / call_id / "events.jsonl").read_text().splitlines()]
        assert seen == list(enumerate(record, 1))
        assert [(each["id"], each["event"]) for each in over_socket] == seen
        assert (record[0]["type"], record[-1]["type"]) == ("call_started", "call_ended")
        assert await watch(client, call_id) == seen, "and afterwards"


async def test_who_was_cut_off_goes_on_behind_the_last_event(tmp_path):
    async with rest(tmp_path, greeting="Hello.") as client:
        call_id, socket = await client.call()
        async with client.http.stream("GET", f"/v1/calls/{call_id}/events") as answer:
            before = await sse(answer, until="agent_saying")
        last = before[-1][0]
        async with client.websocket(f"/v1/calls/{call_id}/events?after={last}", **authorized(client)) as other:
            first = json.loads(await other.recv())
        assert first["id"] == last + 1
        watching = asyncio.create_task(watch(client, call_id, **{"Last-Event-ID": str(last)}))
        await asyncio.sleep(0.1)
        await socket.close()
        after = await asyncio.wait_for(watching, 5)
        await client.server.idle()
        everything = await watch(client, call_id)
        assert before + after == everything
        assert await watch(client, call_id, "?after=2") == everything[2:]
        nothing = await client.http.get(f"/v1/calls/{call_id}/events", headers={"Last-Event-ID": str(len(everything))})
        assert nothing.status_code == 204, "tells a browser not to come again"


async def test_a_silent_call_is_shown_to_be_watched(tmp_path, monkeypatch):
    monkeypatch.setattr(served_events, "HEARTBEAT_S", 0.05)
    async with rest(tmp_path, greeting="Hello.") as client:
        call_id, socket = await client.call()
        async with client.http.stream("GET", f"/v1/calls/{call_id}/events") as answer, asyncio.timeout(5):
            lines = aiter(answer.aiter_lines())
            while await anext(lines) != ": still here":
                pass
        await socket.close()
        await client.server.idle()


async def test_who_leaves_is_forgotten(tmp_path):
    async with rest(tmp_path) as client:
        call_id, socket = await client.call()
        queues = client.server.site.desk.live[call_id]._watching._queues
        async with client.http.stream("GET", f"/v1/calls/{call_id}/events") as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            async with client.websocket(f"/v1/calls/{call_id}/events", **authorized(client)) as other:
                await other.recv()
                assert len(queues) == 2
        async with asyncio.timeout(3):
            while queues:  # noqa: ASYNC110 - nobody is told that a watcher is forgotten
                await asyncio.sleep(0.01)
        await socket.close()
        await client.server.idle()


@pytest.mark.parametrize("websocket", [False, True])
async def test_who_does_not_read_is_let_go_and_the_call_does_not_notice(tmp_path, monkeypatch, websocket):
    monkeypatch.setattr(served_events, "SLOW_S", 0.3)
    async with rest(tmp_path) as client:
        call_id, socket = await client.call()
        live = client.server.site.desk.live[call_id]
        host, port = client.server.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1000)
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        upgrade += "Sec-WebSocket-Version: 13\r\n"
        writer.write(
            f"GET /v1/calls/{call_id}/events HTTP/1.1\r\nHost: x\r\n{upgrade if websocket else ''}"
            f"Authorization: Bearer {client.secret}\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readline() if websocket else b" 200 " in await reader.readline()
        slowest = 0.0
        async with asyncio.timeout(10):
            while not live._watching._queues:  # noqa: ASYNC110 - nobody is told of a watcher
                await asyncio.sleep(0.01)
            while live._watching._queues:
                began = time.perf_counter()
                live._tell(TranscriptInterim(t_ms=1, text="x" * 20_000))
                slowest = max(slowest, time.perf_counter() - began)
                await asyncio.sleep(0)
        assert slowest < 0.1
        assert live.call.id in client.server.site.desk.live
        writer.close()
        await socket.close()
        await client.server.idle()


async def test_there_is_nothing_to_watch_before_a_call_and_without_a_record(tmp_path):
    async with rest(tmp_path, record=False) as client:
        expected = (await client.http.post("/v1/calls", json={"agent": "ava"})).json()["id"]
        assert (await client.http.get(f"/v1/calls/{expected}/events")).status_code == 409
        call_id, socket = await client.call()
        watching = asyncio.create_task(watch(client, call_id))
        await asyncio.sleep(0.1)
        await socket.close()
        assert (await asyncio.wait_for(watching, 5))[-1][1]["type"] == "call_ended"
        await client.server.idle()
        assert (await client.http.get(f"/v1/calls/{call_id}/events")).status_code == 404
        assert (await client.http.get(f"/v1/calls/{call_id}/recording")).status_code == 404


async def test_what_a_watcher_says_is_not_listened_to(tmp_path):
    async with rest(tmp_path) as client:
        call_id, socket = await client.call()
        async with client.websocket(f"/v1/calls/{call_id}/events", **authorized(client)) as other:
            for nonsense in ("{", '{"type":"hang_up"}', b"\x00" * 1000):
                await other.send(nonsense)
            assert json.loads(await other.recv())["id"] == 1
            assert call_id in client.server.site.desk.live
        await socket.close()
        await client.server.idle()
