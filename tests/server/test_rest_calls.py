"""Calls over REST: expected, listed, read, and acted in while they run."""

from __future__ import annotations

import asyncio
import io
import wave
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.doubles.rest_client import rest
from voicebot.call.opening import new_id
from voicebot.server.state import CallRow


async def test_a_ticket_opens_the_stream_of_a_call_once_and_without_a_key(tmp_path):
    async with rest(tmp_path) as client:
        created = await client.http.post(
            "/v1/calls", json={"agent": "ava", "caller": "Maria", "parameters": {"order": "44719"}}
        )
        assert created.status_code == 201
        call = created.json()
        assert call["stream_url"] == f"ws://{client.server.address}/v1/agents/ava/stream?ticket={call['ticket']}"
        assert 50 < (datetime.fromisoformat(call["expires_at"]) - datetime.now(UTC)).total_seconds() <= 60
        expected = (await client.http.get(f"/v1/calls/{call['id']}")).json()
        assert (expected["state"], expected["parameters"]) == ("expected", {"order": "44719"})
        async with connect(call["stream_url"]) as socket:
            await socket.send('{"type":"hello"}')
            await socket.recv()
            live = (await client.http.get(f"/v1/calls/{call['id']}")).json()
            assert (live["state"], live["caller"], live["transport"]) == ("live", "Maria", "websocket")
            with pytest.raises(InvalidStatus):
                await connect(call["stream_url"])
        await client.server.idle()
        ended = (await client.http.get(f"/v1/calls/{call['id']}")).json()
        assert (ended["state"], ended["reason"]) == ("ended", "caller_hung_up")


async def test_the_public_address_is_where_a_stream_is_opened(tmp_path):
    async with rest(tmp_path, public_url="https://voice.example.com/bots/") as client:
        call = (await client.http.post("/v1/calls", json={"agent": "ava"})).json()
        assert call["stream_url"].startswith("wss://voice.example.com/bots/v1/agents/ava/stream?ticket=")


async def test_no_call_is_expected_where_there_is_no_room_or_no_agent(tmp_path):
    async with rest(tmp_path, calls=1) as client:
        assert (await client.http.post("/v1/calls", json={"agent": "eve"})).status_code == 404
        _, socket = await client.call()
        refused = await client.http.post("/v1/calls", json={"agent": "ava"})
        assert (refused.status_code, refused.json()["detail"]) == (503, "All lines are busy.")
        assert refused.headers["retry-after"] == "10"
        await socket.close()
        await client.server.idle()


async def test_calls_are_listed_by_pages_the_latest_first(tmp_path):
    async with rest(tmp_path) as client:
        calls = client.server.site.state.calls
        ids = [new_id() for _ in range(5)]
        for number, call_id in enumerate(ids):
            await calls.begin(CallRow(call_id, "ava" if number % 2 else "bea", "websocket", machine="m"))
        await calls.ended(ids[4], "caller_hung_up")
        seen, cursor = [], ""
        while True:
            page = (await client.http.get(f"/v1/calls?limit=2{cursor}")).json()
            seen += [call["id"] for call in page["calls"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == ids[::-1]
        only = (await client.http.get("/v1/calls?agent=ava")).json()["calls"]
        assert [call["id"] for call in only] == [ids[3], ids[1]]
        ended = (await client.http.get("/v1/calls?state=ended")).json()["calls"]
        assert [call["id"] for call in ended] == [ids[4]]


async def test_the_agent_says_what_it_is_told_to(tmp_path):
    async with rest(tmp_path, greeting="Hello.") as client:
        call_id, socket = await client.call()
        said = await client.http.post(f"/v1/calls/{call_id}/say", json={"text": "A colleague is listening."})
        assert (said.status_code, said.json()["id"]) == (202, call_id)
        async with client.http.stream("GET", f"/v1/calls/{call_id}/events") as events, asyncio.timeout(10):
            async for line in events.aiter_lines():
                if '"type":"agent_saying"' in line and "A colleague is listening." in line:
                    break
        await socket.close()
        await client.server.idle()


async def test_too_much_to_say_is_refused(tmp_path):
    async with rest(tmp_path) as client:
        call_id, socket = await client.call()
        statuses = [
            (await client.http.post(f"/v1/calls/{call_id}/say", json={"text": "Again."})).status_code for _ in range(20)
        ]
        assert statuses[0] == 202
        assert statuses[-1] == 409
        for text in ("", " \n ", "x" * 1001):
            assert (await client.http.post(f"/v1/calls/{call_id}/say", json={"text": text})).status_code == 422
        await socket.close()
        await client.server.idle()


async def test_a_call_is_put_through(tmp_path):
    async with rest(tmp_path, greeting="Hello.") as client:
        call_id, socket = await client.call()
        for to in ("112", "+1", "support", "sip:a@b", "+12125550123; rm"):
            assert (await client.http.post(f"/v1/calls/{call_id}/transfer", json={"to": to})).status_code == 422
        asked = await client.http.post(
            f"/v1/calls/{call_id}/transfer", json={"to": "+12125550123", "say": "I will put you through."}
        )
        assert asked.status_code == 202
        await client.server.idle(10)
        ended = (await client.http.get(f"/v1/calls/{call_id}")).json()
        assert (ended["reason"], ended["detail"]) == ("handed_over", "+12125550123")
        await socket.close()


async def test_a_call_is_ended_and_its_books_say_by_whom(tmp_path):
    async with rest(tmp_path) as client:
        call_id, socket = await client.call()
        assert (await client.http.post(f"/v1/calls/{call_id}/end")).status_code == 202
        await client.server.idle()
        ended = (await client.http.get(f"/v1/calls/{call_id}")).json()
        assert (ended["reason"], ended["detail"]) == ("agent_hung_up", "ended with the API key 'tests'")
        await socket.close()


async def test_nothing_is_done_in_a_call_that_is_not_live(tmp_path):
    async with rest(tmp_path) as client:
        site = client.server.site
        expected = (await client.http.post("/v1/calls", json={"agent": "ava"})).json()["id"]
        await site.state.calls.begin(CallRow(lost := new_id(), "ava", "websocket", machine=site.machine, worker=0))
        await site.state.calls.begin(CallRow(far := new_id(), "ava", "websocket", machine="no address", worker=0))
        bodies = {"end": None, "say": {"text": "Hi."}, "transfer": {"to": "+12125550123"}}
        for act, body in bodies.items():
            for call_id, status in ((expected, 409), (lost, 409), (far, 503), ("20260131-174502-9f86d0", 404)):
                answer = await client.http.post(f"/v1/calls/{call_id}/{act}", json=body)
                assert answer.status_code == status, (act, answer.text)
            assert (await client.http.post(f"/v1/calls/..%2f..%2fetc/{act}", json=body)).status_code in (404, 422)


async def test_a_recording_is_had_when_the_call_is_over_whole_or_in_parts(tmp_path):
    async with rest(tmp_path, greeting="Hello.") as client:
        call_id, socket = await client.call()
        path = f"/v1/calls/{call_id}/recording"
        assert (await client.http.get(path)).status_code == 409
        await socket.send(b"\x01\x00" * 8000)
        await asyncio.sleep(0.1)
        await socket.close()
        await client.server.idle()
        whole = await client.http.get(path)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/wav")
        with wave.open(io.BytesIO(whole.content)) as sound:
            assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
            assert sound.getnframes() >= 4000
        size = len(whole.content)
        cases = {
            "bytes=0-3": (206, b"RIFF", f"bytes 0-3/{size}"),
            "bytes=-4": (206, whole.content[-4:], f"bytes {size - 4}-{size - 1}/{size}"),
            f"bytes={size - 2}-": (206, whole.content[-2:], f"bytes {size - 2}-{size - 1}/{size}"),
            f"bytes={size}-": (416, None, f"bytes */{size}"),
            "bytes=-0": (416, None, f"bytes */{size}"),
            "bytes=5-2": (200, whole.content, None),
            "bytes=-": (200, whole.content, None),
            "bytes=0-1,4-5": (200, whole.content, None),
            "lines=1-2": (200, whole.content, None),
            "bytes=x": (200, whole.content, None),
        }
        for asked, (status, content, shown) in cases.items():
            part = await client.http.get(path, headers={"Range": asked})
            assert (part.status_code, part.headers.get("content-range")) == (status, shown), asked
            assert part.headers["content-type"] == ("application/problem+json" if status == 416 else "audio/wav")
            assert content is None or part.content == content


async def test_no_recording_leads_out_of_the_folder_of_calls(tmp_path):
    async with rest(tmp_path) as client:
        site = client.server.site
        (tmp_path / "secret.wav").write_bytes(b"secret")
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "call.wav").write_bytes(b"secret")
        for name in ("file", "folder", "missing", "pipe"):
            await site.state.calls.begin(CallRow(call_id := new_id(), "ava", "websocket", machine=site.machine))
            await site.state.calls.ended(call_id, "caller_hung_up")
            folder = tmp_path / "calls" / call_id
            folder.parent.mkdir(exist_ok=True)
            if name == "folder":
                folder.symlink_to(outside)
            else:
                folder.mkdir()
            if name == "file":
                (folder / "call.wav").symlink_to(tmp_path / "secret.wav")
            if name == "pipe":
                (folder / "call.wav").mkdir()
            refused = await client.http.get(f"/v1/calls/{call_id}/recording")
            assert refused.status_code == 404, name


async def test_metrics_count_calls_over_all_workers(tmp_path):
    async with rest(tmp_path, calls=3) as client:
        client.server.site.row.ready = True
        _, socket = await client.call()
        client.server.site.row.count_refused("full")
        figures = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families((await client.http.get("/metrics")).text)
            for sample in family.samples
        }
        assert figures["voicebot_calls_active",] == 1
        assert figures["voicebot_calls_limit",] == 3
        assert figures["voicebot_calls_started_total",] == 1
        assert figures["voicebot_calls_refused_total", "full"] == 1
        assert figures["voicebot_calls_ended_total", "caller_hung_up"] == 0
        assert figures["voicebot_worker_calls", "0"] == 1
        await socket.close()
        await client.server.idle()
        text = (await client.http.get("/metrics")).text
        assert 'voicebot_calls_ended_total{reason="caller_hung_up"} 1.0' in text
        assert "voicebot_calls_active 0.0" in text
