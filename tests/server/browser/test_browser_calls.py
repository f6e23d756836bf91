"""Calls from browsers, as their server has them: from ticket to goodbye, and over several networks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")
pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("aiortc", reason="aiortc is not installed (extra 'webrtc')")

from tests.doubles.browser_caller import RATE_HZ, BrowserCaller, cut_off
from tests.doubles.phone_server import Leftovers, Served, served
from tests.doubles.serve_process import serving
from tests.doubles.spoken import speech
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot import paths
from voicebot.evals.bench.calls import stubs
from voicebot.store import calls as records
from voicebot.transports.webrtc import line

LONG = " ".join(["word"] * 14)
"""4.2 seconds."""


def parts(agent: Any) -> dict[str, Any]:
    brain = EchoBrain([LONG], greeting=LONG)
    return {"stt": ScriptSTT(["stop right there"], interim=True), "tts": ToneTTS(), "brain": brain}


async def the_call(server: Served) -> Any:
    (row,) = (await server.site.state.calls.list()).rows
    return row


async def test_a_call_from_its_ticket_to_its_goodbye_leaves_nothing_behind(tmp_path: Path):
    async with served(tmp_path, parts=parts) as server:
        async with BrowserCaller(f"http://{server.address}") as first:
            await first.call()  # what is loaded once is loaded by it
            await first.until_it_sounds()
            await first.hang_up()
            await first.until("ended")
        await server.idle()
        leftovers = Leftovers(server)
        async with BrowserCaller(f"http://{server.address}") as caller:
            await caller.call()
            await caller.until_it_sounds()
            assert (await caller.until("agent"))["text"].strip() == LONG
            (live,) = server.site.desk.live.values()
            assert (live.row.transport, live.row.caller, live.row.agent) == ("webrtc", "browser", "ava")
            caller.say(type="hang_up")
            assert (await caller.until("ended"))["reason"] == "caller_hung_up"
            kinds = {message["type"] for message in caller.messages}
            assert kinds <= {"state", "agent", "cut", "ended"}, "what is not for the caller is not told"
        await leftovers.none()
        kept = records.read(paths.calls_dir(tmp_path) / caller.id)
        assert kept.events[-1].type == "call_ended"


async def test_what_the_caller_says_stops_the_agent_within_200_ms_and_is_shown(tmp_path: Path):
    async with served(tmp_path, parts=parts) as server, BrowserCaller(f"http://{server.address}") as caller:
        await caller.call()
        await caller.until_it_sounds()
        await asyncio.sleep(1)
        assert caller.microphone
        caller.microphone.hear(await speech("please stop right there, I have a question", RATE_HZ))
        loop = asyncio.get_running_loop()
        while not any(event.type == "agent_paused" for event in caught(server)):  # noqa: ASYNC110 - the events are a plain list
            await asyncio.sleep(0.005)
        paused_s = loop.time()
        assert (await caller.until("caller"))["text"] == "stop right there"
        last_s = max(at_s for at_s, loudest in caller.heard if loudest > 300 and at_s < paused_s + 1)
        assert last_s - paused_s < 0.2
        heard = (await caller.until("cut"))["heard"].split()
        assert 2 < len(heard) < 14
        assert (await caller.until("caller", final=True))["text"] == "stop right there"


def caught(server: Served) -> Any:
    """The events of the live call so far."""
    (live,) = server.site.desk.live.values()
    return list(live._watching._last)


async def test_the_agent_waits_for_a_network_that_is_gone(tmp_path: Path):
    async with served(tmp_path, parts=parts) as server, BrowserCaller(f"http://{server.address}") as caller:
        await caller.call()
        began_s = await caller.until_it_sounds()
        await asyncio.sleep(0.5)
        with cut_off():
            await asyncio.sleep(1.8)
            back_s = asyncio.get_running_loop().time()
        again_s = await caller.until_it_sounds(back_s)
        assert again_s - back_s < 1.0
        await caller.until("state", after=2, state="listening")
        ends_s = max(at_s for at_s, loudest in caller.heard if loudest > 300)
        assert ends_s - began_s == pytest.approx(4.2 + 1.8, abs=0.9), "all of it was said, the cut taken out"
        assert (await the_call(server)).state == "live"
        await caller.hang_up()
        await server.idle()


async def test_a_call_goes_on_over_another_network(tmp_path: Path):
    async with served(tmp_path, parts=parts) as server, BrowserCaller(f"http://{server.address}") as caller:
        await caller.call()
        await caller.until_it_sounds()
        (live,) = server.site.desk.live.values()
        for _ in range(2):
            await caller.move()
            moved_s = asyncio.get_running_loop().time()
            assert await caller.until_it_sounds(moved_s) - moved_s < 1.0
        numbers = [message["n"] for message in caller.messages]
        assert numbers == list(range(1, len(numbers) + 1)), "nothing is told twice, and nothing is left out"
        assert isinstance(live.call.transport, line.WebRTC)
        assert live.call.transport.connections == 3
        assert server.site.desk.live == {live.row.id: live}
        caller.say(type="text", text="hello")
        assert (await caller.until("caller", final=True))["text"] == "hello"
        await caller.hang_up()
        await server.idle()


async def begun(caller: BrowserCaller) -> None:
    """On a busy machine a real server says for a while that it has no room."""
    async with asyncio.timeout(60):
        while not caller.id:
            try:
                await caller.call()
            except AssertionError as error:
                if "problem:no-room" not in str(error):
                    raise
                await asyncio.sleep(1)


async def test_any_worker_can_be_asked_about_a_call(tmp_path: Path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text(stubs.AGENT)
    with serving(tmp_path, "--workers", "2") as server:
        async with BrowserCaller(server.url) as caller:
            await begun(caller)
            for _ in range(3):  # the connections of these requests are handed to the workers in turn
                await caller.move()
            await caller.until_it_sounds()
            await caller.hang_up()
            assert (await caller.until("ended"))["reason"] == "caller_hung_up"


async def test_a_browser_that_is_gone_for_good_ends_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(line, "GRACE_S", 1.5)
    async with served(tmp_path, parts=parts) as server, BrowserCaller(f"http://{server.address}") as caller:
        await caller.call()
        await caller.until_it_sounds()
        with cut_off():
            await server.idle(10)
        row = await the_call(server)
        assert row.reason == "failed"
        assert "the browser was gone" in row.detail


async def test_a_browser_that_never_connects_gives_its_place_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(line.WebRTC.connected, "__defaults__", (0.5,))
    async with served(tmp_path, parts=parts) as server, BrowserCaller(f"http://{server.address}") as caller:
        with cut_off(), pytest.raises(TimeoutError):
            await asyncio.wait_for(caller.call(), 3)
        await server.idle()
        row = await the_call(server)
        assert (row.reason, row.detail) == ("failed", "the browser was not reached within 0.5 s")
