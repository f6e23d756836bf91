"""haproxy.cfg, run: two servers of ours behind it, of which one drains, refuses or is not there."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.doubles.haproxy import proxied

PROMPT_S = 4.0
"""A second between two looks at a server, two looks to believe it, and a slow machine."""


class Server:
    """As much of a voicebot as a proxy sees."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = True
        self.refuses = False
        self.asked: list[web.BaseRequest] = []
        self.port = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/readyz":
            return web.Response(status=200 if self.ready else 503)
        self.asked.append(request)
        if self.refuses:
            return web.Response(status=503, headers={"Retry-After": "10"})
        if request.headers.get("Upgrade") != "websocket":
            return web.Response(text=self.name)
        call = web.WebSocketResponse()
        await call.prepare(request)
        await call.send_str(self.name)
        async for message in call:
            await call.send_str(f"{self.name} heard {message.data}")
        return call


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[None]:
    runner = web.ServerRunner(web.Server(server.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def one() -> AsyncIterator[Server]:
    async with serving(server := Server("one")):
        yield server


@pytest.fixture
async def two() -> AsyncIterator[Server]:
    async with serving(server := Server("two")):
        yield server


@pytest.fixture
async def proxy(haproxy: str, one: Server, two: Server, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an HAProxy before both."""
    with proxied(tmp_path, one.port, two.port) as address:
        await until(address, "/", 200)
        yield address


async def until(address: str, path: str, status: int) -> None:
    """Ask until the answer is `status`."""
    async with aiohttp.ClientSession(address) as client, asyncio.timeout(PROMPT_S):
        while True:
            try:
                async with client.get(path) as answer:
                    if answer.status == status:
                        return
            except aiohttp.ClientConnectionError:
                pass  # it is about to listen
            await asyncio.sleep(0.05)


async def who(client: aiohttp.ClientSession, times: int = 6) -> set[str]:
    """Who takes new calls: each stays open while the next one comes."""
    calls = [await client.ws_connect("/v1/agents/ava/stream") for _ in range(times)]
    names = {await call.receive_str() for call in calls}
    for call in calls:
        await call.close()
    return names


def test_haproxy_accepts_the_file(haproxy: str, deploy: Path) -> None:
    done = subprocess.run(
        [haproxy, "-c", "-f", str(deploy / "haproxy.cfg")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_https_is_there_when_there_is_a_certificate(haproxy: str, deploy: Path, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([*make.split(), "-keyout", key, "-out", certificate], capture_output=True, check=True)
    certificate.write_text(certificate.read_text() + key.read_text())
    command = [haproxy, "-c", "-f", str(deploy / "haproxy.cfg")]
    for crt, works in ((certificate, True), (tmp_path / "missing.pem", False)):
        done = subprocess.run(command, env={"CERTIFICATES": str(crt)}, capture_output=True, check=False)
        assert (done.returncode == 0) is works


async def test_calls_are_spread_and_a_server_that_drains_keeps_its_own(proxy: str, one: Server) -> None:
    async with aiohttp.ClientSession(proxy) as client:
        assert await who(client) == {"one", "two"}
        running = [await client.ws_connect("/twilio/stream") for _ in range(2)]
        names = [await call.receive_str() for call in running]
        assert sorted(names) == ["one", "two"]
        one.ready = False
        async with asyncio.timeout(PROMPT_S):
            while "one" in await who(client):
                pass
        for name, call in zip(names, running, strict=True):
            await call.send_str("still there?")
            assert await call.receive_str() == f"{name} heard still there?"
            await call.close()


async def test_who_is_refused_at_one_server_is_taken_by_the_other(proxy: str, one: Server) -> None:
    one.refuses = True
    async with aiohttp.ClientSession(proxy) as client:
        assert await who(client) == {"two"}
        for _ in range(4):
            async with client.post("/v1/calls", json={"agent": "ava"}) as answer:
                assert (answer.status, await answer.text()) == (200, "two")


async def test_who_is_refused_everywhere_is_told_so(proxy: str, one: Server, two: Server) -> None:
    one.refuses = two.refuses = True
    async with aiohttp.ClientSession(proxy) as client, client.get("/v1/calls") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "10")


async def test_whoever_telephones_while_there_is_no_server_hears_a_sentence(
    proxy: str, one: Server, two: Server
) -> None:
    one.ready = two.ready = False
    await until(proxy, "/v1/calls", 503)
    async with aiohttp.ClientSession(proxy) as client, client.post("/twilio/voice/ava") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/xml"
        assert "<Say>" in await answer.text()


async def test_the_proxy_and_not_the_client_says_where_a_request_comes_from(
    proxy: str, one: Server, two: Server
) -> None:
    claims = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"}
    async with aiohttp.ClientSession(proxy) as client, client.get("/v1/agents", headers=claims):
        pass
    request = (one.asked + two.asked)[-1]
    assert request.headers.getall("X-Forwarded-For") == ["127.0.0.1"]
    assert request.headers.getall("X-Forwarded-Proto") == ["http"]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_what_is_for_those_inside_is_not_public(proxy: str, path: str) -> None:
    async with aiohttp.ClientSession(proxy) as client, client.get(path) as answer:
        assert answer.status == 404
