"""The page in a real browser, which has a WAV for a microphone."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")
pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("aiortc", reason="aiortc is not installed (extra 'webrtc')")

from tests.doubles import chromium as browsers
from tests.doubles.browser_caller import cut_off
from tests.doubles.phone_server import Served, served
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from tests.doubles.talk_page import talking
from voicebot import paths

pytestmark = pytest.mark.skipif(browsers.program() is None, reason="there is no Chromium here (Debian: chromium)")
ANSWERS = {
    "Shall I book": "yes, please",
    "number": "I'd rather not say",
    "name": "Maria Davis",
    "day": "Thursday",
    "time": "three o'clock",
    "come in for": "a cleaning",
    "": "a cleaning on Thursday at three o'clock for Maria Davis, please",
}
"""What the caller says to what the agent asks."""


def url(server: Served) -> str:
    return f"http://{server.address}/talk/ava"


async def only_call(server: Served) -> Any:
    (row,) = (await server.site.state.calls.list()).rows
    return row


async def test_a_caller_books_an_appointment(tmp_path: Path):
    shutil.copytree(Path(__file__).parents[3] / "voicebot" / "templates" / "dental", tmp_path, dirs_exist_ok=True)
    (tmp_path / "data" / "appointments.json").write_text("[]")
    async with served(tmp_path, parts=lambda agent: {}) as server, talking(url(server), tmp_path) as call:
        for turn in range(1, 9):
            await call.answered(turn)
            asked = (await call.lines("agent"))[-1]
            if "booked for" in asked:
                break
            await call.say(next(answer for question, answer in ANSWERS.items() if question in asked))
        (appointment,) = json.loads((tmp_path / "data" / "appointments.json").read_text())
        assert (appointment["treatment"], appointment["time"], appointment["name"]) == (
            "cleaning",
            "15:00",
            "Maria Davis",
        )
        assert len(await call.lines("caller")) == turn - 1
        await call.page.click("#end")
        await call.page.until("document.body.dataset.state === 'ended'")
        await server.idle()
        row = await only_call(server)
        assert (row.transport, row.reason) == ("webrtc", "caller_hung_up")
        assert (paths.calls_dir(tmp_path) / row.id / "call.wav").is_file()


async def test_a_caller_interrupts_and_stays_though_the_network_is_gone_for_three_seconds(tmp_path: Path):
    def parts(agent: Any) -> dict[str, Any]:
        brain = EchoBrain([" ".join(["word"] * 60)], greeting=" ".join(["hello"] * 60))
        return {"stt": ScriptSTT(["stop right there"], interim=True), "tts": ToneTTS(), "brain": brain}

    async with served(tmp_path, parts=parts) as server, talking(url(server), tmp_path) as call:
        page = call.page
        await page.until("louder(0)")
        await call.say("please stop right there, I have a question")
        await page.until("!!document.querySelector('.agent.cut')")
        heard = (await call.lines("agent"))[0].split()
        assert 2 < len(heard) < 55, "only what was heard of the greeting is left"
        await page.until("document.querySelectorAll('.agent.line').length === 2")
        assert await call.lines("caller") == ["stop right there"]
        await page.until(f"louder({await page.run('energy()')})")

        with cut_off():
            await asyncio.sleep(0.6)  # what is on its way has arrived
            before = await page.run("energy()")
            await asyncio.sleep(2.4)
            assert not await page.run(f"louder({before})"), "nothing came through"
        await page.until(f"louder({await page.run('energy()')})")
        row = await only_call(server)
        assert row.state == "live"
        await page.click("#end")
        await server.idle()
        assert (await only_call(server)).reason == "caller_hung_up"


@asynccontextmanager
async def shop(html: list[str]) -> AsyncIterator[str]:
    """The address of a web page of somebody else's."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{html[0]}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_script_tag_puts_the_agent_into_pages_that_were_named_and_into_no_others(tmp_path: Path):
    def parts(agent: Any) -> dict[str, Any]:
        return {"stt": ScriptSTT([]), "tts": ToneTTS(), "brain": EchoBrain(greeting=" ".join(["hello"] * 60))}

    html = [""]
    async with (
        shop(html) as named,
        shop(html) as other,
        served(tmp_path, parts=parts, embed_origins=(named,)) as server,
        browsers.chromium() as browser,
    ):
        html[0] = f'<body><h1>Shop</h1><script src="http://{server.address}/talk/embed.js" data-agent="ava"></script>'
        for origin, calls in ((other, 0), (named, 1)):
            page = await browser.open(f"{origin}/")
            await page.look(1280, 800)
            await page.press(1200, 752)  # the button
            await page.until("document.activeElement.localName === 'voicebot-talk'")
            for _ in range(10 if calls else 3):
                await asyncio.sleep(0.3)
                if not server.site.row.calls:
                    await page.press(1060, 430)  # the frame's
            assert len(server.site.desk.live) == calls
        (row,) = (await server.site.state.calls.list()).rows
        assert row.parameters == {"origin": named}
        await page.press(1200, 752)  # it closes the frame, and that hangs up
        await server.idle()


HANGS_UP_WHILE_IT_CONNECTS = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(wanted) { super(wanted); window.peer = this; }
  async setRemoteDescription(told) {
    await super.setRemoteDescription(told);
    dispatchEvent(new KeyboardEvent("keydown", { altKey: true, code: "KeyE" }));
  }
};
"""


async def test_who_hangs_up_while_it_connects_has_hung_up(tmp_path: Path):
    async with served(tmp_path) as server, browsers.chromium() as browser:
        page = await browser.open()
        await page.send("Page.addScriptToEvaluateOnNewDocument", source=HANGS_UP_WHILE_IT_CONNECTS)
        await page.go(url(server))
        await page.click("#start")
        await page.until("window.peer?.connectionState === 'closed'")
        await server.idle()
        assert await page.run("document.body.dataset.state") == "ended"
        assert await page.text("#status") == "You hung up."
        assert await page.text("#hint") == ""
        assert (await only_call(server)).reason in ("caller_hung_up", "failed")
