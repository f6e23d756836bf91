"""Calls as Twilio makes them, from its first webhook to its last, each with a verdict: was it answered, and how well?

    async with Telephone("http://127.0.0.1:8080", "agent", token) as telephone:
        outcome = await telephone.call(listen_s=3.0)

The caller says nothing and listens to the greeting, of which the length is known. Signatures are those of Twilio's own
package.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from base64 import b64decode, b64encode
from collections import deque
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal
from xml.etree import ElementTree

import aiohttp
from twilio.request_validator import RequestValidator

How = Literal["answered", "degraded", "refused", "dropped"]
RATE_HZ = 8000
PIECE_S = 0.02
SILENCE = b64encode(b"\xff" * round(RATE_HZ * PIECE_S)).decode()
GAP_MS = 60.0
"""Silence within what the agent says that is a hole in it."""
LATE_MS = 2000.0
"""A caller who hears nothing for so long takes the line to be dead."""
ACCOUNT = f"AC{0:032x}"
_NUMBERS = itertools.count(1)
_TIMEOUT = aiohttp.ClientTimeout(total=15)


@dataclass(frozen=True)
class Outcome:
    """What became of one call."""

    how: How
    why: str = ""
    setup_ms: float = 0.0
    """From the connection of the stream to the first sound of the greeting."""
    gap_ms: float = 0.0
    """The longest hole in the greeting."""


class Telephone:
    """A line to one agent of a server at `url`, which is where Twilio reaches it, too."""

    def __init__(self, url: str, agent: str, token: str) -> None:
        self._url = url
        self._agent = agent
        self._validator = RequestValidator(token)

    async def __aenter__(self) -> Telephone:
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT, connector=aiohttp.TCPConnector(limit=0, force_close=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def call(self, *, listen_s: float, greeting_s: float | None = None) -> Outcome:
        """Ring, listen for so long behind the first sound, hang up. `greeting_s`: how long the greeting has to be."""
        sid = f"CA{next(_NUMBERS):032x}"
        try:
            return await self._call(sid, listen_s, greeting_s)
        except (aiohttp.ClientError, TimeoutError, OSError, ElementTree.ParseError) as error:
            return Outcome("dropped", f"{type(error).__name__}: {error}")

    async def _call(self, sid: str, listen_s: float, greeting_s: float | None) -> Outcome:
        told = await self._ask(f"{self._url}/twilio/voice/{self._agent}", sid, CallStatus="ringing")
        connect = told.find("Connect")
        stream = told.find("Connect/Stream")
        if connect is None or stream is None:
            return _refusal(told)
        url = stream.get("url", "")
        begun = time.monotonic()
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, {})}
        try:
            socket = await self._http.ws_connect(url, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            if error.status != 503:
                raise
            return _refusal(await self._ask(connect.get("action", ""), sid, CallStatus="in-progress"))
        async with socket:
            parameters = {each.get("name", ""): each.get("value", "") for each in stream}
            listened = await _Stream(socket, sid, parameters, begun).listen(listen_s)
        await self._tell(stream.get("statusCallback", ""), sid, CallStatus="completed", StreamEvent="stream-stopped")
        return listened.outcome(greeting_s)

    async def _ask(self, url: str, sid: str, **more: str) -> ElementTree.Element:
        async with self._post(url, sid, more) as answer:
            answer.raise_for_status()
            return ElementTree.fromstring(await answer.text())  # noqa: S314 - from the server that is tried

    async def _tell(self, url: str, sid: str, **more: str) -> None:
        async with self._post(url, sid, more) as answer:
            answer.raise_for_status()

    def _post(self, url: str, sid: str, more: dict[str, str]) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        form = {"AccountSid": ACCOUNT, "CallSid": sid, "From": "+15550100", "To": "+15550199", **more}
        signature = self._validator.compute_signature(url, form)
        return self._http.post(url, data=form, headers={"X-Twilio-Signature": signature})


def _refusal(told: ElementTree.Element) -> Outcome:
    """A proper one says so, or sends the caller elsewhere."""
    said = told.findtext("Say")
    if said and told.find("Hangup") is not None:
        return Outcome("refused", said)
    return Outcome("dropped", f"the answer was {ElementTree.tostring(told, 'unicode')}")


class _Stream:
    """One Media Stream: sends silence at its pace, plays what comes, and notes when."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, sid: str, parameters: dict[str, str], begun: float
    ) -> None:
        self._socket = socket
        self._begun = begun
        self._sid = f"MZ{sid[2:]}"
        self._start = {
            "streamSid": self._sid,
            "callSid": sid,
            "accountSid": ACCOUNT,
            "customParameters": parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": RATE_HZ, "channels": 1},
        }
        self._first = asyncio.Event()
        self._ended = False
        self.heard_s = 0.0
        self.setup_ms = 0.0
        self.gap_ms = 0.0
        self._until = 0.0
        """When what has come will have been played."""
        self._marks: deque[tuple[float, object]] = deque()
        """With when everything before them will have been."""

    async def listen(self, listen_s: float) -> _Stream:
        """Until the caller has listened for so long, or the server has hung up."""
        receiving = asyncio.create_task(self._receive())
        sending = asyncio.create_task(self._send())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TIMEOUT.total):
                    await self._first.wait()
            await asyncio.sleep(listen_s)
            self._ended = self._socket.closed
            if not self._ended:
                await self._say("stop", stop={"callSid": self._start["callSid"]})
        finally:
            for task in (receiving, sending):
                task.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)
        return self

    def outcome(self, greeting_s: float | None) -> Outcome:
        if not self.setup_ms or self._ended:
            return Outcome("dropped", "the server hung up" if self._ended else "no greeting", self.setup_ms)
        faults = {
            "the first sound came late": self.setup_ms > LATE_MS,
            "there was a hole in the greeting": self.gap_ms > GAP_MS,
            "the greeting was not whole": greeting_s is not None and self.heard_s < greeting_s - PIECE_S,
        }
        why = ", ".join(fault for fault, is_one in faults.items() if is_one)
        return Outcome("degraded" if why else "answered", why, self.setup_ms, self.gap_ms)

    async def _send(self) -> None:
        await self._say("connected", protocol="Call", version="1.0.0")
        await self._say("start", start=self._start)
        began = time.monotonic()
        for number in itertools.count():
            media = {"track": "inbound", "chunk": str(number + 1), "timestamp": str(number * 20), "payload": SILENCE}
            await self._say("media", media=media)
            while self._marks and self._marks[0][0] <= time.monotonic():
                await self._say("mark", mark=self._marks.popleft()[1])
            await asyncio.sleep(began + (number + 1) * PIECE_S - time.monotonic())

    async def _receive(self) -> None:
        async for message in self._socket:
            now, told = time.monotonic(), json.loads(message.data)
            if told["event"] == "media":
                self._play(now, len(b64decode(told["media"]["payload"])) / RATE_HZ)
            elif told["event"] == "mark":
                self._marks.append((self._until, told["mark"]))

    def _play(self, now: float, seconds: float) -> None:
        if self._first.is_set():
            self.gap_ms = max(self.gap_ms, (now - self._until) * 1000)
        else:
            self.setup_ms = (now - self._begun) * 1000
            self._first.set()
        self.heard_s += seconds
        self._until = max(self._until, now) + seconds

    async def _say(self, event: str, **more: object) -> None:
        await self._socket.send_str(json.dumps({"event": event, "streamSid": self._sid, **more}))
