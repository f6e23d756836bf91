"""REST on a real server of two workers: it does not matter which of them is asked."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.doubles.project import project
from tests.doubles.rest_client import FLOW
from tests.doubles.serve_process import Server, serving
from voicebot.server.state import SCOPES

MOST_CALLS = 10
"""One after the other until both workers have one."""


def test_any_worker_answers_for_all(tmp_path: Path) -> None:
    patient = {"turns": {"idle": "10m"}}
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."}, voice=patient)
    with serving(tmp_path, "--workers", "2", "--calls", "10") as server:
        [secret] = server.create_keys(SCOPES)
        asyncio.run(ask_about_all(server, secret))


async def ask_about_all(server: Server, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, headers=headers, timeout=10))
        async with asyncio.timeout(60):
            while "voicebot_workers_ready 2.0" not in (await http.get("/metrics")).text:  # noqa: ASYNC110 - as a client would
                await asyncio.sleep(0.1)
        pids: dict[str, int] = {}
        while len(set(pids.values())) < 2:
            assert len(pids) < MOST_CALLS
            call_id = await call(http, stack)
            pids[call_id] = await pid_of(http, call_id)
        for _ in range(4):  # each request goes to whichever worker has most room
            for call_id, pid in pids.items():
                said = await http.post(f"/v1/calls/{call_id}/say", json={"text": "Hi."})
                assert said.status_code == 202, said.text
                assert await pid_of(http, call_id) == pid
        await agents_are_the_same(http)
        assert f"voicebot_calls_active {len(pids)}.0" in (await http.get("/metrics")).text
        for call_id in pids:
            assert (await http.post(f"/v1/calls/{call_id}/end")).status_code == 202
        async with asyncio.timeout(10):
            while (await http.get("/v1/calls?state=live")).json()["calls"]:  # noqa: ASYNC110 - as a client would
                await asyncio.sleep(0.05)
        for call_id in pids:
            assert (await http.get(f"/v1/calls/{call_id}/recording")).content.startswith(b"RIFF")
            assert '"type":"call_ended"' in (await http.get(f"/v1/calls/{call_id}/events")).text


async def call(http: httpx.AsyncClient, stack: AsyncExitStack) -> str:
    """A live one's id. On a machine that is busy with other things a worker may take none for a moment."""
    socket = None
    async with asyncio.timeout(60):
        while socket is None:
            created = await http.post("/v1/calls", json={"agent": "ava"})
            try:
                socket = await stack.enter_async_context(connect(created.json().get("stream_url", "ws://none")))
            except (InvalidStatus, OSError):
                await asyncio.sleep(0.2)
    await socket.send('{"type":"hello"}')
    await socket.recv()
    talking = asyncio.create_task(talk(socket))
    stack.callback(talking.cancel)
    call_id: str = created.json()["id"]
    return call_id


async def talk(socket: ClientConnection) -> None:
    """Silence. A line on which nothing comes at all is taken to be broken."""
    with suppress(ConnectionClosed):
        while True:
            await socket.send(bytes(320))
            await asyncio.sleep(1)


async def pid_of(http: httpx.AsyncClient, call_id: str) -> int:
    """The process that has the call, as its first event says."""
    async with http.stream("GET", f"/v1/calls/{call_id}/events") as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                pid: int = json.loads(line[6:])["pid"]
                return pid
    raise AssertionError(f"{call_id} has no events")


async def agents_are_the_same(http: httpx.AsyncClient) -> None:
    """What one worker has written, every worker has for its next call."""
    yaml = {"Content-Type": "application/yaml"}
    assert (await http.put("/v1/agents/bea", content=FLOW, headers=yaml)).status_code == 201
    tags = {(await http.get("/v1/agents/bea")).headers["etag"] for _ in range(6)}
    assert len(tags) == 1
    new = await http.put("/v1/agents/bea", content=FLOW + "language: de\n", headers=yaml | {"If-Match": tags.pop()})
    assert (
        {(await http.get("/v1/agents/bea")).json()["language"] for _ in range(6)} == {"de"} == {new.json()["language"]}
    )
