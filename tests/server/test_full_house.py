"""25 calls where 25 may be: the next one is refused at once, and the 25 do not notice."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from tests.doubles.phone_server import Leftovers, served
from tests.doubles.stubs import EchoBrain, ScriptSTT
from tests.doubles.twilio_caller import PUBLIC, TOKEN, Exchange
from tests.doubles.twilio_stream import ACCOUNT_SID, STREAM_SID
from voicebot.agent import Agent
from voicebot.server.twilio.signature import SETTING
from voicebot.store import calls as records
from voicebot.tts import Speech

CALLS = 25
TRIES = 10
AHEAD_S = 0.2
"""So much sooner than it is heard is the agent's voice ready: a server that is held up longer leaves a gap."""
SPEECH_S = 5.0
SILENCE = json.dumps(
    {"event": "media", "streamSid": STREAM_SID, "media": {"payload": b64encode(b"\xff" * 160).decode()}}
)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


class SteadyTTS:
    """Takes as long to say something as it takes to hear it."""

    name = "steady"

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncIterator[Speech]:
        tone = (6000 * np.sin(2 * np.pi * 440 * np.arange(800) / 8000)).astype(np.int16).tobytes()
        began = time.monotonic()
        for piece in range(int(SPEECH_S / 0.1)):
            await asyncio.sleep(began + piece * 0.1 - AHEAD_S - time.monotonic())
            yield Speech(tone, 8000)


def parts(agent: Agent) -> dict[str, Any]:
    return {"stt": ScriptSTT([]), "tts": SteadyTTS(), "brain": EchoBrain(greeting="Hello.")}


class Caller:
    """Listens, and says nothing. `gap_s` is the longest silence in what it hears of a sentence."""

    def __init__(self, exchange: Exchange) -> None:
        self.gap_s = 0.0
        self.heard_s = 0.0
        self._until = 0.0
        """When what has come so far will have been heard."""
        self._ringing = exchange.ring()

    async def call(self) -> None:
        (connect,) = await self._ringing.ask("/twilio/voice/ava")
        start = {
            "streamSid": STREAM_SID,
            "callSid": self._ringing.sid,
            "accountSid": ACCOUNT_SID,
            "customParameters": connect.inner[0].parameters,
        }
        async with self._ringing.stream(connect) as socket:
            await socket.send(json.dumps({"event": "start", "start": start}))
            speaking = asyncio.create_task(self._be_silent(socket))
            try:
                await self._listen(socket)
            finally:
                speaking.cancel()

    async def _be_silent(self, socket: ClientConnection) -> None:
        due = time.monotonic()
        while True:
            await socket.send(SILENCE)
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _listen(self, socket: ClientConnection) -> None:
        while self.heard_s < SPEECH_S - 0.05:
            message = json.loads(await socket.recv())
            if message["event"] == "media":
                self._take(len(b64decode(message["media"]["payload"])) / 8000)

    def _take(self, sound_s: float) -> None:
        now = time.monotonic()
        if self.heard_s:
            self.gap_s = max(self.gap_s, now - self._until)
        self._until = max(now, self._until) + sound_s
        self.heard_s += sound_s


@dataclass(frozen=True)
class Round:
    """25 calls, and others that wanted to be the 26th."""

    webhook_ms: list[float]
    """How long a refusal with TwiML took, each."""
    stream_ms: list[float]
    """How long one took of a stream whose room was gone."""
    gap_ms: float
    """The longest silence that any of the 25 heard in a sentence."""

    @property
    def good(self) -> bool:
        return max(*self.webhook_ms, *self.stream_ms) < 100 and self.gap_ms < 60


async def test_the_26th_call_is_refused_at_once_and_the_25_do_not_notice(tmp_path: Path):
    """The best of three rounds: what else runs on this machine can only make it worse."""
    rounds: list[Round] = []
    async with served(tmp_path, calls=CALLS, parts=parts) as server:
        leftovers = Leftovers(server)
        while len(rounds) < 3 and not any(each.good for each in rounds):
            rounds.append(await a_round(Exchange(server.address)))
            await leftovers.none(within_s=10)
        rows = (await server.site.state.calls.list(limit=200)).rows
        ended = [records.read(tmp_path / "calls" / row.id).state for row in rows]
    assert any(each.good for each in rounds), rounds
    assert ended == ["ended"] * CALLS * len(rounds)
    assert server.site.row.refused["full"] == 2 * TRIES * len(rounds)


async def a_round(exchange: Exchange) -> Round:
    callers = [Caller(exchange) for _ in range(CALLS)]
    calling = [asyncio.create_task(caller.call()) for caller in callers]
    async with asyncio.timeout(20):
        while not all(caller.heard_s for caller in callers):
            await asyncio.sleep(0.01)
            for task in calling:
                if task.done():
                    task.result()  # why somebody does not hear anything
    webhooks = [await took_ms(refused_webhook(exchange)) for _ in range(TRIES)]
    streams = [await took_ms(refused_stream(exchange)) for _ in range(TRIES)]
    await asyncio.gather(*calling)
    return Round(webhooks, streams, 1000 * max(caller.gap_s for caller in callers))


async def took_ms(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return 1000 * (time.perf_counter() - began)


async def refused_webhook(exchange: Exchange) -> None:
    say, hang_up = await exchange.ring().ask("/twilio/voice/ava")
    assert (say.text.split(".")[0], hang_up.name) == ("All our lines are busy", "Hangup")


async def refused_stream(exchange: Exchange) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with exchange.open(f"{PUBLIC.replace('http', 'ws')}/twilio/stream"):
            pass
    assert refused.value.response.status_code == 503
