"""Who may talk to an agent from a browser: what is refused, and that nothing of it is left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")
pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("aiortc", reason="aiortc is not installed (extra 'webrtc')")

from aiortc import RTCConfiguration, RTCPeerConnection

from tests.doubles.browser_caller import BrowserCaller, Microphone
from tests.doubles.phone_server import Leftovers, Served, served
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot.errors import BadInput
from voicebot.server.browser import access, asked, ice
from voicebot.server.settings import Settings

SHOP = "https://shop.example.com"
PUBLIC = {"host": "voice.example.com"}
"""How those ask who are not on this machine."""


def parts(agent: Any) -> dict[str, Any]:
    return {"stt": ScriptSTT([]), "tts": ToneTTS(), "brain": EchoBrain(greeting="hello there")}


@asynccontextmanager
async def asking(root: Path, **settings: Any) -> AsyncIterator[tuple[Served, httpx.AsyncClient]]:
    async with (
        served(root, parts=parts, **settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.address}/talk/ava", timeout=10) as http,
    ):
        yield server, http


async def offer(*kinds: str) -> str:
    """An SDP of these kinds of media."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in kinds:
        if kind == "data":
            connection.createDataChannel("voicebot")
        elif kind == "audio":
            connection.addTrack(Microphone())
        else:
            connection.addTransceiver(kind)
    await connection.setLocalDescription(await connection.createOffer())
    sdp = str(connection.localDescription.sdp)
    await connection.close()
    return sdp


async def ticket(http: httpx.AsyncClient, **headers: str) -> str:
    return str((await http.post("ticket", headers=headers)).json()["ticket"])


async def test_only_this_machine_may_talk_without_being_told(tmp_path: Path):
    async with asking(tmp_path) as (server, http):
        assert (await http.post("ticket")).status_code == 201
        for strange in (
            PUBLIC,
            {"x-forwarded-for": "203.0.113.7"},
            {"via": "1.1 proxy"},
            {"host": "rebound.example.com"},
        ):
            refused = await http.post("ticket", headers=strange)
            assert refused.status_code == 401, strange
            assert refused.headers["content-type"] == "application/problem+json"
        assert (await http.post("ticket", headers={"origin": f"http://{server.address}"})).status_code == 201
        for origin in (SHOP, "null", "http://127.0.0.1:1"):
            assert (await http.post("ticket", headers={"origin": origin})).status_code == 403, origin
        key = (await server.site.state.keys.create("guests", ["calls:stream"]))[1]
        other = (await server.site.state.keys.create("reader", ["calls:read"]))[1]
        for secret, status in ((key, 201), (other, 403), ("vb_wrong", 401)):
            answer = await http.post("ticket", headers={**PUBLIC, "authorization": f"Bearer {secret}"})
            assert answer.status_code == status


async def test_a_server_with_a_public_address_is_no_server_for_this_machine_only(tmp_path: Path):
    async with asking(tmp_path, public_url="https://voice.example.com", talk=("bea",)) as (_, http):
        assert (await http.post("ticket")).status_code == 401


async def test_strangers_may_talk_to_the_agents_that_are_named_but_not_without_end(tmp_path: Path):
    async with asking(tmp_path, talk=("ava",)) as (_, http):
        statuses = [(await http.post("ticket", headers=PUBLIC)).status_code for _ in range(access._AT_ONCE + 1)]
        assert statuses == [201] * access._AT_ONCE + [429]
        assert (await http.post("../bea/ticket", headers=PUBLIC)).status_code == 401


async def test_pages_of_named_origins_may_embed_the_agent(tmp_path: Path):
    async with asking(tmp_path, talk=("ava",), embed_origins=(SHOP,)) as (server, http):
        allowed = await http.post("ticket", headers={**PUBLIC, "origin": SHOP})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (201, SHOP)
        other = await http.post("ticket", headers={**PUBLIC, "origin": "https://shop.example.com.evil.example"})
        assert other.status_code == 403
        assert "access-control-allow-origin" not in other.headers
        (row,) = (await server.site.state.calls.list()).rows
        assert row.parameters == {"origin": SHOP}
        page = await http.get("../ava", headers=PUBLIC)
        assert f"frame-ancestors 'self' {SHOP}" in page.headers["content-security-policy"]
        sdp = await offer("audio", "data")
        stolen = await http.post(
            "calls", json={"ticket": allowed.json()["ticket"], "sdp": sdp}, headers={"origin": SHOP}
        )
        assert stolen.status_code == 403, "a call is asked for by the page in the frame, not by the one around it"


async def test_the_page_runs_nothing_of_others_and_tells_strangers_no_names(tmp_path: Path):
    async with asking(tmp_path) as (_, http):
        page = await http.get("../ava")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.text.count("<script") == 1
        assert 'data-name="the agent"' in (await http.get("../nobody", headers=PUBLIC)).text
        assert (await http.get("../nobody")).status_code == 404
        for name in ("talk.css", "talk.js", "call.js", "view.js", "quality.js"):
            assert (await http.get(f"../-/{name}")).status_code == 200
        for name in ("talk.html", "..%2ftalk.html", "__init__.py"):
            assert (await http.get(f"../-/{name}")).status_code == 404


async def test_a_ticket_is_good_once_for_one_agent_and_for_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with asking(tmp_path) as (server, http):
        await http.get("../ava")  # its connection stays
        leftovers = Leftovers(server)
        sdp = await offer("audio", "data")

        async def begin(ticket: str, agent: str = "ava") -> int:
            return (await http.post(f"../{agent}/calls", json={"ticket": ticket, "sdp": sdp})).status_code

        assert await begin("wrong") == 401
        assert await begin(await ticket(http), "bea") == 401
        monkeypatch.setattr(asked, "_TICKET_S", -1.0)
        assert await begin(await ticket(http)) == 401
        monkeypatch.undo()
        once = await ticket(http)
        async with BrowserCaller(f"http://{server.address}") as caller:
            await caller.call(once)
            await caller.until_it_sounds()
            assert await begin(once) == 401
            await caller.hang_up()
        await leftovers.none()


async def test_an_offer_that_is_none_is_refused_and_leaves_nothing(tmp_path: Path):
    good = await offer("audio", "data")
    bad = {
        "": 422,
        "v=0\r\n": 422,
        "nonsense \x00\r\n" * 50: 422,
        good.replace("opus", "speex"): 422,
        good.replace("a=ice-ufrag", "a=ice-ufrog"): 422,
        good.replace("a=fingerprint:sha-", "a=fingerprint:md-"): 422,
        good + "a=x\r\n" * 8_000: 422,
        await offer("audio", "video"): 422,
        await offer("data"): 422,
    }
    async with asking(tmp_path) as (server, http):
        await http.get("../ava")  # its connection stays
        leftovers = Leftovers(server)
        for sdp, status in bad.items():
            answer = await http.post("calls", json={"ticket": await ticket(http), "sdp": sdp})
            assert answer.status_code == status, sdp[:60]
        assert (await http.post("calls", content=b"x" * 200_000)).status_code in (413, 415)
        assert (await http.post("calls", json={"ticket": "x", "sdp": "", "more": 1})).status_code == 422
        await leftovers.none()


async def test_only_who_has_its_secret_may_touch_a_call(tmp_path: Path):
    async with asking(tmp_path) as (server, http), BrowserCaller(f"http://{server.address}") as caller:
        await caller.call()
        await caller.until_it_sounds()
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": caller.secret}):
            for what in ("offer", "candidates", "end"):
                body = {"offer": {"sdp": ""}, "candidates": {"candidates": []}}.get(what)
                assert (await http.post(f"calls/{caller.id}/{what}", json=body, headers=headers)).status_code == 401
        late = [
            {"candidate": f"candidate:1 1 udp 1 {host} 9 typ host", "mid": "0"} for host in ("x.local", "127.0.0.1")
        ]
        assert (await caller.ask("candidates", {"candidates": late})).status_code == 204
        assert (await caller.ask("offer", {"sdp": "v=0"})).status_code == 422
        assert (await caller.ask("candidates", {"candidates": late * 20})).status_code == 422
        assert len(server.site.desk.live) == 1
        await caller.hang_up()
        await server.idle()
        assert (await caller.ask("end")).status_code == 404


async def test_a_full_server_says_so_before_the_ticket_is_used(tmp_path: Path):
    async with asking(tmp_path, calls=1) as (server, http), BrowserCaller(f"http://{server.address}") as caller:
        spare = await ticket(http)
        await caller.call()
        assert (await http.post("ticket")).status_code == 503
        full = await http.post("calls", json={"ticket": spare, "sdp": await offer("audio", "data")})
        assert (full.status_code, "retry-after" in full.headers) == (503, True)
        await caller.until_it_sounds()
        await caller.hang_up()
        await server.idle()
        async with BrowserCaller(f"http://{server.address}") as later:
            await later.call(spare)


async def test_a_key_makes_a_ticket_for_a_page(tmp_path: Path):
    turn = {"ice_servers": ("turn:192.0.2.1",), "turn_secret": "s3cret"}
    async with asking(tmp_path, talk=(), **turn) as (server, http), BrowserCaller(f"http://{server.address}") as caller:
        key = (await server.site.state.keys.create("shop", ["calls:write"]))[1]
        wanted = {"agent": "ava", "transport": "webrtc", "caller": "Maria", "parameters": {"order": "17"}}
        bearer = {"authorization": f"Bearer {key}"}
        answer = await http.post(f"http://{server.address}/v1/calls", json=wanted, headers=bearer)
        expected = answer.json()
        page, _, given = expected["stream_url"].partition("#ticket=")
        assert page == f"http://{server.address}/talk/ava"
        helped = await http.post("servers", json={"ticket": given})
        (turn,) = helped.json()["ice_servers"]
        assert (turn["urls"], turn["username"].partition(":")[2]) == ("turn:192.0.2.1", expected["id"])
        for other, shown in (("ava", "x" * 43), ("ben", given)):
            refused = await http.post(f"http://{server.address}/talk/{other}/servers", json={"ticket": shown})
            assert refused.status_code == 401
        await caller.call(given)
        assert (await http.post("servers", json={"ticket": given})).status_code == 401, "it has been used"
        await caller.until_it_sounds()
        (live,) = server.site.desk.live.values()
        assert (live.row.caller, live.row.parameters) == ("Maria", {"order": "17"})


def test_turn_servers_get_credentials_for_an_hour() -> None:
    urls = ("stun:stun.example.com", "turn:turn.example.com:3478?transport=udp", "turn:a:b@old.example.com")
    settings = Settings(project=Path("/"), ice_servers=urls, turn_secret="s3cret")
    stun, turn, old = ice.servers(settings, "call-1")
    assert (stun.url, stun.username) == ("stun:stun.example.com", "")
    assert turn.username.endswith(":call-1")
    assert len(turn.credential) == 28
    assert (old.url, old.username, old.credential) == ("turn:old.example.com", "a", "b")
    for wrong in ("turn.example.com", "stun:a:b@c", "https://x", "turn:secret-name:password@"):
        with pytest.raises(BadInput) as refused:
            ice.check(wrong)
        assert "password@" not in str(refused.value)
