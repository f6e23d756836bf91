"""How a call begins: its id, what must be in memory before, and what its first event tells."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import datetime
from typing import Any, Literal

from voicebot import clock
from voicebot.agent import Agent
from voicebot.call.telling import Telling
from voicebot.media import vad
from voicebot.observe.tracing import Tracing, tracing_wanted
from voicebot.process import settle_down, versions
from voicebot.stt import STT
from voicebot.transports import Transport
from voicebot.tts import TTS
from voicebot.turns import smart_turn

Reason = Literal["caller_hung_up", "agent_hung_up", "handed_over", "input_ended", "interrupted", "failed"]
"""How a call ends."""


def new_id() -> str:
    """Sorts by time, tells when, and two calls never share it."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


async def load(stt: STT | None, tts: TTS | None, telling: Telling) -> None:
    """Models into memory, once per process and off the event loop; and the call is traced if that is wanted."""
    loop = asyncio.get_running_loop()
    if stt and tts:
        await asyncio.gather(loop.run_in_executor(None, vad.silero), smart_turn.load(), stt.load(), tts.load())
    if tracing := await loop.run_in_executor(None, _ready, telling):
        telling.subscribe(tracing.face(telling.traceparent))


def _ready(telling: Telling) -> Tracing | None:
    telling.load()
    settle_down()
    return tracing_wanted()


def described(agent: Agent, transport: Transport, stt: STT | None, tts: TTS | None, brain: str) -> dict[str, Any]:
    """The fields of `events.CallStarted`, all but the call's id: who talks to whom, and with what."""
    return {
        "agent": agent.name,
        "agent_sha256": agent.sha256,
        "started_at": datetime.now().astimezone().isoformat(timespec="milliseconds"),
        "transport": transport.name,
        "caller": transport.caller,
        "rate_hz": transport.rate_hz,
        "clock": clock.name(),
        "stt": stt.name if stt else "",
        "tts": tts.name if tts else "",
        "brain": brain,
        "versions": versions(),
        "pid": os.getpid(),
    }
