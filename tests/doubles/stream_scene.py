"""Scenes on a Media Stream: a test says word for word what Twilio does, and an ear writes down what arrives."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np

from tests.doubles.sockets import Socket, pair
from tests.doubles.twilio_stream import ACCOUNT_SID, CALL_SID, STREAM_SID
from voicebot import clock
from voicebot.media import mulaw
from voicebot.transports import twilio
from voicebot.transports.dialect import LineLost, ProtocolError

START: dict[str, Any] = {"streamSid": STREAM_SID, "callSid": CALL_SID, "accountSid": ACCOUNT_SID}


class Listener:
    """An ear that writes down."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.pressed = ""

    def audio(self, pcm: bytes) -> None:
        self.pcm += pcm

    def text(self, text: str) -> None:
        raise AssertionError("nobody types on a telephone")

    def keys(self, keys: str) -> None:
        self.pressed += keys


Scene = Callable[[Socket, twilio.Twilio, Listener], Coroutine[Any, Any, None]]


def said(event: str, sid: str = STREAM_SID, **content: Any) -> str:
    return json.dumps({"event": event, "streamSid": sid, event: content})


def media(number: int, level: int = 1000, *, ms: int = 20, at_ms: int | None = None, **more: Any) -> str:
    payload = mulaw.encode(np.full(8 * ms, level, np.int16).tobytes())
    content = {
        "payload": b64(payload),
        "chunk": str(number),
        "timestamp": str(20 * number if at_ms is None else at_ms),
    }
    return said("media", **{**content, "track": "inbound", **more})


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def on_a_stream(
    scene: Callable[[Socket, twilio.Twilio, Listener], Coroutine[Any, Any, None]],
) -> tuple[Any, Listener, Socket]:
    """(how the line ended, what was heard, the client's end) of a stream on which `scene` is Twilio."""

    async def main() -> tuple[Any, Listener, Socket]:
        client, server = pair()
        await client.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        await client.send(json.dumps({"event": "start", "start": START, "streamSid": STREAM_SID}))
        line, listener = await twilio.answer(server), Listener()
        running = asyncio.create_task(line.run(listener))
        await asyncio.sleep(0)
        playing = asyncio.create_task(scene(client, line, listener))
        await asyncio.wait({running, playing}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await client.close()
        try:
            ended: Any = await running
        except (LineLost, ProtocolError) as error:
            ended = error
        await line.hang_up()
        await asyncio.sleep(0.1)
        await playing
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return ended, listener, client

    return clock.run(main(), skip_idle=True)


def start(**more: Any) -> str:
    return json.dumps({"event": "start", "start": {**START, **more}, "streamSid": STREAM_SID})
