"""Talking to an agent through the page /talk/AGENT: in a real browser, whose microphone hears what a voice says.

async with talking("http://127.0.0.1:8080/talk/ava", tmp_path) as call:
    await call.answered(1)
    await call.say("I'd like to book a cleaning")
"""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.doubles.chromium import Page, chromium
from voicebot.tts.espeak import Espeak

RATE_HZ = 22050
"""eSpeak's; Chromium takes any."""
SPY = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); peers.push(this); }
};
window.energy = async () => {
  let energy = 0;
  for (const peer of peers)
    for (const report of (await peer.getStats()).values())
      if (report.type === "inbound-rtp") energy += report.totalAudioEnergy;
  return energy;
};
window.louder = async (than) => (await energy()) > than + 0.02;
const devices = navigator.mediaDevices, open = devices?.getUserMedia.bind(devices), tracks = [];
if (devices) devices.getUserMedia = async (wanted) => {
  tracks.splice(0).forEach((track) => track.stop());  // else Chromium goes on with the file that it has open
  const stream = await open(wanted);
  tracks.push(...stream.getTracks());
  return stream;
};
"""


class Talking:
    """A call in the page."""

    def __init__(self, page: Page, microphone: Path) -> None:
        self.page = page
        self._microphone = microphone

    async def say(self, text: str) -> None:
        """Through a WAV, in the voice of the template's persona: the page chooses its microphone anew."""
        voice = Espeak("en-us+robosoft3", rate_wpm=155)
        write(self._microphone, b"".join([chunk.pcm async for chunk in voice.speak(text)]))
        await self.page.run("document.querySelector('#microphone').dispatchEvent(new Event('change'))")

    async def answered(self, count: int) -> None:
        """The agent has said its `count`-th thing, and listens."""
        await self.page.until(
            f"document.querySelectorAll('.agent.line').length >= {count} && document.body.dataset.state === 'listening'"
        )

    async def lines(self, side: str) -> list[str]:
        script = f"[...document.querySelectorAll('#transcript .{side}')].map(each => each.innerText)"
        return [str(line).partition("\n")[2] for line in await self.page.run(script)]


def write(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(bytes(RATE_HZ // 4 * 2) + pcm + bytes(RATE_HZ * 2))


@asynccontextmanager
async def talking(url: str, folder: Path) -> AsyncIterator[Talking]:
    """When the call has begun. The microphone's WAV lies in `folder`."""
    write(folder / "microphone.wav", b"")
    async with chromium(microphone=folder / "microphone.wav") as browser:
        page = await browser.open()
        await page.send("Page.addScriptToEvaluateOnNewDocument", source=SPY)
        await page.go(url)
        await page.click("#start")
        await page.until("['listening', 'speaking'].includes(document.body.dataset.state)")
        yield Talking(page, folder / "microphone.wav")
        assert browser.console == [], f"the console says {browser.console}"
