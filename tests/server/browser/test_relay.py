"""Calls from browsers that reach the server through a TURN server only, which is coturn's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")
pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("aiortc", reason="aiortc is not installed (extra 'webrtc')")

from tests.doubles import chromium as browsers
from tests.doubles import turn_server
from tests.doubles.browser_caller import RATE_HZ, BrowserCaller
from tests.doubles.phone_server import served
from tests.doubles.spoken import speech
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot.call.opening import new_id
from voicebot.transports.webrtc import line

pytestmark = pytest.mark.skipif(turn_server.PROGRAM is None, reason="there is no TURN server here (Debian: coturn)")
SECRET = "of both"
ONLY_RELAYED = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(wanted) { super({ ...wanted, iceTransportPolicy: "relay" }); window.peer = this; }
};
"""
USED = """
peer.getStats().then((all) => [...all.values()]
  .filter((each) => each.type === "candidate-pair" && each.nominated && each.state === "succeeded")
  .map((each) => all.get(each.localCandidateId).candidateType))
"""
LONG = " ".join(["word"] * 14)


def parts(agent: Any) -> dict[str, Any]:
    brain = EchoBrain([LONG], greeting=LONG)
    return {"stt": ScriptSTT(["stop right there"], interim=True), "tts": ToneTTS(), "brain": brain}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_browser_that_reaches_nothing_but_the_relay_is_heard_and_hears(tmp_path: Path, transport: str):
    async with turn_server.relay(SECRET) as relay:
        told: dict[str, Any] = {"ice_servers": (f"turn:{relay.address}?transport={transport}",), "turn_secret": SECRET}
        async with (
            served(tmp_path, parts=parts, **told) as server,
            BrowserCaller(f"http://{server.address}", relayed=True) as caller,
        ):
            await caller.call()
            await caller.until_it_sounds()
            assert caller.microphone
            caller.microphone.hear(await speech("please stop right there, I have a question", RATE_HZ))
            assert (await caller.until("caller", final=True))["text"] == "stop right there"
            await caller.move()
            moved_s = asyncio.get_running_loop().time()
            await caller.until_it_sounds(moved_s)
            assert {user.partition(":")[2] for user in relay.users} == {caller.id}
            assert caller._connection
            assert " typ relay" in caller._connection.remoteDescription.sdp, "the server is reached there, too"
            await caller.hang_up()
            assert (await caller.until("ended"))["reason"] == "caller_hung_up"
            await server.idle()


async def test_credentials_that_the_relay_does_not_take_are_said_to_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(line.WebRTC.connected, "__defaults__", (1.0,))
    logged: list[str] = []
    sink = logger.add(lambda message: logged.append(message.record["message"]), level="WARNING")
    try:
        async with turn_server.relay(SECRET) as relay:
            told: dict[str, Any] = {"ice_servers": (f"turn:{relay.address}",), "turn_secret": "of one"}
            async with (
                served(tmp_path, parts=parts, **told) as server,
                BrowserCaller(f"http://{server.address}", relayed=True) as caller,
            ):
                connecting = asyncio.create_task(caller.call())
                async with asyncio.timeout(30):
                    while not any(row.state == "ended" for row in (await server.site.state.calls.list()).rows):
                        assert not connecting.done(), "nothing is relayed"
                        await asyncio.sleep(0.05)
                connecting.cancel()
                await asyncio.gather(connecting, return_exceptions=True)
                await server.idle()
                (row,) = (await server.site.state.calls.list()).rows
                assert (row.reason, row.detail) == ("failed", "the browser was not reached within 1 s")
                assert relay.users == []
                assert "Cannot find credentials" in relay.said, "it was asked"
    finally:
        logger.remove(sink)
    warned = f"turn:{relay.address} gave no address: it does not answer, or does not take its credentials: is VOICEBOT_"
    assert any(warned in line for line in logged), logged


@pytest.mark.skipif(browsers.program() is None, reason="there is no Chromium here (Debian: chromium)")
@pytest.mark.parametrize("secret", [SECRET, "of one"])
async def test_the_page_in_chromium_is_relayed_or_says_that_there_is_no_way(
    tmp_path: Path, secret: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(line.WebRTC.connected, "__defaults__", (8.0,))
    async with turn_server.relay(SECRET) as relay, browsers.chromium() as browser:
        told: dict[str, Any] = {"ice_servers": (f"turn:{relay.address}",), "turn_secret": secret}
        async with served(tmp_path, parts=parts, **told) as server:
            page = await browser.open()
            await page.send("Page.addScriptToEvaluateOnNewDocument", source=ONLY_RELAYED)
            _, ticket = await server.site.state.calls.expect(id=new_id(), agent="ava", transport="webrtc")
            link = f"#ticket={ticket}" if secret == SECRET else ""  # who got one in a link is helped, too
            await page.go(f"http://{server.address}/talk/ava{link}")
            await page.click("#start")
            if secret == SECRET:
                await page.until("document.querySelectorAll('.agent.line').length === 1")
                assert await page.run(USED) == ["relay"]
                await page.click("#end")
            await page.until("document.body.dataset.state === 'ended'")
            said = await page.text("body")
            assert ("through this network" in said) == (secret != SECRET), said
            await server.idle(30)
