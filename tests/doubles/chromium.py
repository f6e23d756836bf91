"""Headless Chromium with a WAV for a microphone, driven through its DevTools protocol.

    async with chromium(microphone=Path("caller.wav")) as browser:
        page = await browser.open("http://127.0.0.1:8080/talk/ava")
        await page.click("#start")
        await page.until("document.body.dataset.state === 'listening'")

The protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_START_S = 40.0
_WITHIN_S = 30.0
_MOST_BYTES = 64 * 2**20
_SWITCHES = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
    "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--mute-audio", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required", "--hide-scrollbars",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)  # fmt: skip


def program() -> str | None:
    """Chromium's, if there is one here."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    async def send(self, method: str, **parameters: Any) -> Any:
        return await self._browser.send(method, self._session, **parameters)

    async def run(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        answer = await self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, script: str, within_s: float = _WITHIN_S) -> Any:
        """The value of an expression when it is true."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not (value := await self.run(script)):
            assert loop.time() < until_s, f"never true: {script}\n{await self.text('body')}"
            await asyncio.sleep(0.05)
        return value

    async def text(self, selector: str) -> str:
        return str(await self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def click(self, selector: str) -> None:
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def press(self, x: int, y: int) -> None:
        """A click at a place, in whatever frame is there."""
        for what in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=what, x=x, y=y, button="left", clickCount=1)

    async def go(self, url: str) -> None:
        await self.send("Page.navigate", url=url)
        await self.until(f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url)})")

    async def look(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """How it is shown from now on."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone,
        )  # fmt: skip
        await self.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )

    async def picture(self, path: Path) -> None:
        shot = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))


class Browser:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.console: list[str] = []
        """What pages log, and what they throw."""
        self._reading = asyncio.create_task(self._read())

    async def open(self, url: str = "about:blank") -> Page:
        target = await self.send("Target.createTarget", url="about:blank")
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Log"):
            await page.send(f"{domain}.enable")
        if url != "about:blank":
            await page.go(url)
        return page

    async def send(self, method: str, session: str = "", **parameters: Any) -> Any:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._waiting[number] = answered = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message))
        try:
            answer = await asyncio.wait_for(answered, _WITHIN_S)
        finally:
            del self._waiting[number]
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    async def close(self) -> None:
        with suppress(ConnectionClosed, TimeoutError):
            await self.send("Browser.close")
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._socket:
                message = json.loads(text)
                if (waiting := self._waiting.get(message.get("id", 0))) and not waiting.done():
                    waiting.set_result(message)
                elif message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                    self.console.append(json.dumps(message["params"])[:1000])


@asynccontextmanager
async def chromium(*switches: str, microphone: Path | None = None) -> AsyncIterator[Browser]:
    """With a profile of its own; gone at the end, with all of its processes. `microphone` is played once."""
    found = program()
    assert found, "no Chromium here"
    with tempfile.TemporaryDirectory(prefix="voicebot-chromium-", ignore_cleanup_errors=True) as folder:
        ears = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        process = await asyncio.create_subprocess_exec(
            found, f"--user-data-dir={folder}", *_SWITCHES, *ears, *root, *switches, "about:blank",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": folder},
        )  # fmt: skip
        try:
            port = await _port(Path(folder) / "DevToolsActivePort")
            async with connect(f"ws://127.0.0.1:{port}", max_size=_MOST_BYTES, proxy=None, compression=None) as socket:
                browser = Browser(socket)
                try:
                    yield browser
                finally:
                    await browser.close()
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _port(path: Path) -> str:
    """Where it listens, and the path of its socket: it says so in a file."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + _START_S
    while len(lines := await asyncio.to_thread(_lines, path)) < 2:
        assert loop.time() < until_s, "Chromium did not start"
        await asyncio.sleep(0.05)
    return "".join(lines)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []
