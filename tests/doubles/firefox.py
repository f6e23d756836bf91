"""Headless Firefox with a tone for a microphone, driven through WebDriver BiDi.

    async with firefox(card.environment) as browser:
        await browser.go("http://127.0.0.1:8080/talk/ava")
        await browser.click("#start")
        await browser.until("document.body.dataset.state === 'listening'")

The protocol: https://w3c.github.io/webdriver-bidi/
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
_START_S = 60.0
_WITHIN_S = 30.0
_PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "app.update.disabledForTesting": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "extensions.update.enabled": False,
    "remote.active-protocols": 1,
}


class Firefox:
    """One tab of it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._context = ""
        self.console: list[str] = []
        """What the page logs, and what it throws."""

    async def begin(self) -> None:
        await self.send("session.new", capabilities={})
        await self.send("session.subscribe", events=["log.entryAdded"])
        tree = await self.send("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def send(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(_WITHIN_S):
            while True:
                message = json.loads(await self._socket.recv())
                if message.get("method") == "log.entryAdded":
                    self.console.append(str(message["params"].get("text")))
                elif message.get("id") == number:
                    assert message["type"] == "success", (method, message)
                    return message["result"]

    async def go(self, url: str) -> None:
        await self.send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def run(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        answer = await self.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({script}) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]
        return json.loads(answer["result"]["value"])

    async def until(self, script: str, within_s: float = _WITHIN_S) -> Any:
        """The value of an expression when it is true."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not (value := await self.run(script)):
            assert loop.time() < until_s, f"never true: {script}\n{await self.text('body')}\n{self.console}"
            await asyncio.sleep(0.05)
        return value

    async def text(self, selector: str) -> str:
        return str(await self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def click(self, selector: str) -> None:
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")


@asynccontextmanager
async def firefox(environment: Mapping[str, str]) -> AsyncIterator[Firefox]:
    """With a profile of its own; gone at the end, with all of its processes.

    `environment` has a sound card: without one, no AudioContext of Firefox's ever runs.
    """
    assert PROGRAM, "no Firefox here"
    with tempfile.TemporaryDirectory(prefix="voicebot-firefox-", ignore_cleanup_errors=True) as folder:
        profile = Path(folder) / "profile"
        profile.mkdir()
        told = "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items())
        (profile / "user.js").write_text(told)
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            env={**environment, "HOME": folder, "MOZ_CRASHREPORTER_DISABLE": "1"}, start_new_session=True,
        )  # fmt: skip
        try:
            url = await _url(profile / "WebDriverBiDiServer.json")
            async with connect(url, max_size=2**24, proxy=None, compression=None) as socket:
                browser = Firefox(socket)
                await browser.begin()
                yield browser
                with suppress(ConnectionClosed, TimeoutError):
                    await browser.send("browser.close")
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()


async def _url(path: Path) -> str:
    """Where it listens: it says so in a file."""
    async with asyncio.timeout(_START_S):
        while True:
            try:
                told = json.loads(await asyncio.to_thread(path.read_text))
            except (OSError, ValueError):
                await asyncio.sleep(0.05)
            else:
                return f"ws://{told['ws_host']}:{told['ws_port']}/session"
