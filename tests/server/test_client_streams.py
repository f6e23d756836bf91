"""Calls over plain websockets: who may open one, and what comes of those who may not."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")
pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.doubles.phone_server import Leftovers, Served, served
from voicebot.store import calls as records

HELLO = {"type": "hello", "format": "mulaw"}
UPGRADE = (
    "GET /v1/agents/ava/stream HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {secret}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def key_of(server: Served, *scopes: str) -> str:
    """A new key's secret."""
    _, secret = await server.site.state.keys.create(f"for-{'-'.join(scopes) or 'nothing'}".replace(":", "-"), scopes)
    return secret


@asynccontextmanager
async def opened(
    server: Served, secret: str = "", *, target: str = "/v1/agents/ava/stream", headers: Mapping[str, str] | None = None
) -> AsyncIterator[ClientConnection]:
    sent = {"Authorization": f"Bearer {secret}"} if secret else {}
    async with connect(
        f"ws://{server.address}{target}", additional_headers={**sent, **(headers or {})}, compression=None, proxy=None
    ) as socket:
        yield socket


async def refusal(server: Served, *arguments: Any, **more: Any) -> tuple[int, dict[str, Any], Mapping[str, str]]:
    """(status, problem, headers) of an upgrade that is refused."""
    with pytest.raises(InvalidStatus) as refused:
        async with opened(server, *arguments, **more):
            pass
    response = refused.value.response
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, json.loads(response.body or b""), response.headers


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind; sound has the kind 'sound'."""
    async with asyncio.timeout(5):
        while True:
            message = await socket.recv()
            if isinstance(message, bytes):
                if kind == "sound":
                    return {}
            elif (told := json.loads(message))["type"] == kind:
                return dict(told)


async def test_a_call_with_a_key_from_hello_to_bye(tmp_path: Path):
    async with served(tmp_path) as server:
        secret = await key_of(server, "calls:stream")
        leftovers = Leftovers(server)
        async with opened(server, secret) as socket:
            await socket.send(json.dumps({**HELLO, "events": True, "caller": "kiosk 7", "parameters": {"floor": "2"}}))
            ready = await until(socket, "ready")
            assert ready == {"type": "ready", "format": "mulaw", "rate_hz": 8000}
            started = (await until(socket, "event"))["event"]
            assert (started["type"], started["caller"]) == ("call_started", "kiosk 7")
            await until(socket, "sound")
            (row,) = (await server.site.state.calls.list(state="live")).rows
            assert row.id == started["call_id"]
            await socket.send('{"type":"hang_up"}')
            while (told := await until(socket, "event"))["event"]["type"] != "call_ended":
                pass
            assert told["event"]["reason"] == "caller_hung_up"
            assert json.loads(await socket.recv()) == {"type": "bye"}
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1000
        await leftovers.none()
        (row,) = (await server.site.state.calls.list()).rows
    assert (row.agent, row.transport, row.caller, row.parameters) == ("ava", "websocket", "kiosk 7", {"floor": "2"})
    assert (row.reason, bool(row.key_id), row.outside_id) == ("caller_hung_up", True, "")
    assert records.read(tmp_path / "calls" / row.id).state == "ended"


async def test_events_go_only_to_who_asks_for_them(tmp_path: Path):
    async with served(tmp_path) as server, opened(server, await key_of(server, "calls:stream")) as socket:
        await socket.send(json.dumps(HELLO))
        assert (await until(socket, "ready"))["type"] == "ready"
        for _ in range(2):
            assert isinstance(await socket.recv(), bytes)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Bearer vb_abcdefgh_{'x' * 43}"}, 401),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
    ],
    ids=["none", "empty", "unknown", "basic"],
)
async def test_without_a_good_key_nobody_is_let_in_or_told_which_agents_there_are(
    tmp_path: Path, authorization: dict[str, str], status: int
):
    async with served(tmp_path) as server:
        leftovers = Leftovers(server)
        for agent in ("ava", "nobody"):
            got, problem, headers = await refusal(server, target=f"/v1/agents/{agent}/stream", headers=authorization)
            assert (got, problem["status"]) == (status, status)
            assert headers["WWW-Authenticate"].startswith("Bearer")
        await leftovers.none()
        assert not (await server.site.state.calls.list()).rows


async def test_a_key_must_have_the_scope_and_the_agent_must_be_there(tmp_path: Path):
    async with served(tmp_path) as server:
        (tmp_path / "agents" / "broken.yaml").write_text("name: [")
        reader, caller = await key_of(server, "calls:read"), await key_of(server, "calls:stream")
        assert (await refusal(server, reader))[0] == 403
        status, problem, _ = await refusal(server, caller, target="/v1/agents/av/stream")
        assert (status, problem["detail"]) == (404, "there is no agent 'av'. Did you mean 'ava'?")
        status, problem, _ = await refusal(server, caller, target="/v1/agents/broken/stream")
        assert status == 503
        assert str(tmp_path) not in problem["detail"]
        for target in ("/v1/agents/../ava/stream", "/v1/agents/%2e%2e/stream", f"/v1/agents/{'a' * 65}/stream"):
            with pytest.raises(InvalidStatus) as refused:
                async with opened(server, caller, target=target):
                    pass
            assert refused.value.response.status_code in (403, 404)


async def test_no_room_is_503_with_a_time_and_takes_no_ticket(tmp_path: Path):
    async with served(tmp_path, calls=1) as server:
        secret = await key_of(server, "calls:stream")
        expected = await new_call(server, await key_of(server, "calls:write"))
        async with opened(server, secret) as socket:
            await socket.send(json.dumps(HELLO))
            await until(socket, "ready")
            status, problem, headers = await refusal(server, secret)
            assert (status, problem["title"], headers["Retry-After"]) == (503, "No room", "10")
            assert (await refusal(server, target=target_of(expected)))[0] == 503
        await server.idle()
        async with opened(server, target=target_of(expected)) as socket:
            await socket.send(json.dumps(HELLO))
            await until(socket, "ready")


async def new_call(server: Served, secret: str, **about: Any) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"http://{server.address}/v1/calls",
            json={"agent": "ava", **about},
            headers={"Authorization": f"Bearer {secret}"},
        )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def target_of(expected: dict[str, Any]) -> str:
    """Path and query of a stream's URL."""
    return "/" + str(expected["stream_url"]).split("/", 3)[3]


async def test_a_ticket_opens_one_stream_from_any_page_and_no_second(tmp_path: Path):
    async with served(tmp_path) as server:
        secret = await key_of(server, "calls:write")
        leftovers = Leftovers(server)
        expected = await new_call(server, secret, caller="Maria", parameters={"page": "prices"})
        page = {"Origin": "https://shop.example.com"}
        async with opened(server, target=target_of(expected), headers=page) as socket:
            await socket.send(json.dumps({**HELLO, "caller": "somebody else"}))
            await until(socket, "sound")
            assert (await refusal(server, target=target_of(expected)))[0] == 401
            await socket.send('{"type":"hang_up"}')
            await until(socket, "bye")
        await leftovers.none()
        assert (await refusal(server, target=target_of(expected)))[0] == 401
        (row,) = (await server.site.state.calls.list()).rows
    assert (row.id, row.caller, row.parameters) == (expected["id"], "Maria", {"page": "prices"})
    assert records.read(tmp_path / "calls" / row.id).started.caller == "Maria"


async def test_a_ticket_of_another_agent_or_transport_is_none(tmp_path: Path):
    async with served(tmp_path) as server:
        (tmp_path / "agents" / "eva.yaml").write_text((tmp_path / "agents" / "ava.yaml").read_text())
        expected = await new_call(server, await key_of(server, "calls:write"))
        target = f"/v1/agents/eva/stream?ticket={expected['ticket']}"
        assert (await refusal(server, target=target))[0] == 401
        calls = server.site.state.calls
        _, ticket = await calls.expect(id="by-telephone", agent="ava", transport="twilio", outside_id="CA1")
        assert (await refusal(server, target=f"/v1/agents/ava/stream?ticket={ticket}"))[0] == 401
        for query in ("ticket=", "ticket=%00", "ticket=" + "x" * 5000, "a=1&" * 20, "ticket=a&ticket=b"):
            assert (await refusal(server, target=f"/v1/agents/ava/stream?{query}"))[0] in (400, 401)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://console.example.com", 101),
        ("http://{address}", 101),
        ("https://voice.example.com", 101),
        ("https://evil.example.com", 403),
        ("https://console.example.com.evil.com", 403),
        ("null", 403),
    ],
)
async def test_pages_of_other_origins_are_refused(tmp_path: Path, origin: str, status: int):
    known = ("https://console.example.com",)
    async with served(tmp_path, origins=known, public_url="https://voice.example.com") as server:
        secret, headers = await key_of(server, "calls:stream"), {"Origin": origin.format(address=server.address)}
        if status == 403:
            assert (await refusal(server, secret, headers=headers))[0] == 403
        else:
            async with opened(server, secret, headers=headers):
                pass


@pytest.mark.parametrize("first", ["{}", "{", b"\x00\x00", '{"type":"hello","rate_hz":44100}', '{"type":"hang_up"}'])
async def test_a_client_that_does_not_say_hello_is_told_what_is_wrong_and_its_ticket_is_used(
    tmp_path: Path, first: str | bytes
):
    async with served(tmp_path) as server:
        with_key, writer = await key_of(server, "calls:stream"), await key_of(server, "calls:write")
        leftovers = Leftovers(server)
        expected = await new_call(server, writer)
        for secret, target in ((with_key, "/v1/agents/ava/stream"), ("", target_of(expected))):
            async with opened(server, secret, target=target) as socket:
                await socket.send(first)
                assert (await until(socket, "error"))["error"]
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd
                assert closed.value.rcvd.code == 1008
        await leftovers.none()
        (row,) = (await server.site.state.calls.list()).rows
        assert (row.state, row.reason) == ("ended", "failed")
        assert row.detail.startswith("its stream did not begin")


async def test_a_client_that_is_cut_off_has_a_whole_record(tmp_path: Path):
    async with served(tmp_path) as server:
        secret = await key_of(server, "calls:stream")
        leftovers = Leftovers(server)
        async with opened(server, secret) as socket:
            await socket.send(json.dumps(HELLO))
            await until(socket, "sound")
            socket.transport.abort()
        await leftovers.none()
        (row,) = (await server.site.state.calls.list()).rows
    call = records.read(tmp_path / "calls" / row.id)
    assert (row.reason, call.state, call.broken) == ("failed", "ended", ())
    assert "the line was cut" in row.detail


async def test_a_client_that_takes_nothing_does_not_keep_its_place(tmp_path: Path):
    """Its call ends when too much waits for it, and nobody waits for it to take the goodbye."""
    async with served(tmp_path, greeting="word " * 2000) as server:
        secret = await key_of(server, "calls:stream")
        leftovers = Leftovers(server)
        with deaf_client(server, secret) as deaf:
            await asyncio.sleep(0.5)  # for the answer to the upgrade
            hello = json.dumps({"type": "hello", "rate_hz": 16000}).encode()
            deaf.sendall(b"\x81" + bytes([0x80 | len(hello), 0, 0, 0, 0]) + hello)
            async with asyncio.timeout(20):
                while not (rows := (await server.site.state.calls.list(state="ended")).rows):  # noqa: ASYNC110 - in the books
                    await asyncio.sleep(0.05)
            assert rows[0].detail == "LineLost: the other side does not take what it is sent"
            await server.idle()
        await leftovers.none(within_s=10)


def deaf_client(server: Served, secret: str) -> socket.socket:
    """Asks for a stream, and reads nothing."""
    host, _, port = server.address.rpartition(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((host, int(port)))
    deaf.sendall(UPGRADE.format(host=server.address, secret=secret).encode())
    return deaf


async def test_a_plain_request_for_a_stream_is_answered(tmp_path: Path):
    async with served(tmp_path) as server, httpx.AsyncClient() as http:
        answer = await http.get(f"http://{server.address}/v1/agents/ava/stream")
        assert 400 <= answer.status_code < 500
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Authorization": "Bearer x"}
        assert (await http.get(f"http://{server.address}/v1/agents/ava/stream", headers=headers)).status_code < 500
        headers["Authorization"] = f"Bearer {await key_of(server, 'calls:stream')}"
        assert (await http.get(f"http://{server.address}/v1/agents/ava/stream", headers=headers)).status_code == 400
        await server.idle()
