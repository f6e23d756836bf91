"""The plain protocol of docs/websocket.md, from a client's side."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from tests.doubles.sockets import Socket, pair
from tests.doubles.spoken import AGENT
from tests.doubles.stubs import WORD_S, EchoBrain, ScriptSTT, ToneTTS
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.media import mulaw
from voicebot.transports import websocket
from voicebot.transports.dialect import LineLost, ProtocolError

SOUND = np.arange(-8000, 8000, 10, dtype=np.int16)


class Listener:
    def __init__(self) -> None:
        self.pcm = bytearray()
        self.pressed = ""

    def audio(self, pcm: bytes) -> None:
        self.pcm += pcm

    def text(self, text: str) -> None:
        raise AssertionError("nobody types here")

    def keys(self, keys: str) -> None:
        self.pressed += keys


def hello(**more: Any) -> str:
    return json.dumps({"type": "hello", **more})


async def told(client: Socket) -> Any:
    message = await client.receive()
    return json.loads(message) if isinstance(message, str) else message


def on_a_socket(
    scene: Callable[[Socket, websocket.WebSocket], Awaitable[None]], **about: Any
) -> tuple[Any, Listener, list[Any]]:
    """(how the line ended, what was heard, what the client was still told) when `scene` is the client."""

    async def main() -> tuple[Any, Listener, list[Any]]:
        client, server = pair()
        await client.send(hello(**about))
        line, listener = await websocket.answer(server), Listener()
        running = asyncio.create_task(line.run(listener))
        assert (await told(client))["type"] == "ready"
        await scene(client, line)
        await asyncio.sleep(0.1)
        if not running.done():
            await client.close()
        try:
            ended: Any = await running
        except (LineLost, ProtocolError) as error:
            ended = error
        await line.hang_up()
        await asyncio.sleep(0.1)
        rest = [await told(client) for _ in range(client._came.qsize() - bool(client.closed))]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return ended, listener, rest

    return clock.run(main(), skip_idle=True)


def test_the_server_says_what_was_agreed_on():
    async def main() -> Any:
        client, server = pair()
        await client.send(hello(format="mulaw", caller="browser", parameters={"order": "7"}))
        line = await websocket.answer(server)
        assert (line.caller, line.rate_hz, line.hello.parameters) == ("browser", 8000, {"order": "7"})
        return await told(client)

    assert clock.run(main(), skip_idle=True) == {"type": "ready", "format": "mulaw", "rate_hz": 8000}


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"\x00\x00", "audio came before the hello"),
        ("{", "`hello`: Invalid JSON"),
        ("{}", "`hello.type`: Field required"),
        (hello(v=2), "`hello.v`"),
        (hello(format="opus"), "`hello.format`: Input should be 'pcm_s16le' or 'mulaw'"),
        (hello(rate_hz=44100), "`hello.rate_hz`"),
        (hello(format="mulaw", rate_hz=16000), "`hello`: Value error, mulaw has a rate_hz of 8000"),
        (hello(agent="ava"), "`hello.agent`: Extra inputs are not permitted"),
        (hello(caller="x" * 201), "`hello.caller`"),
        (None, "no hello came within 5 s"),
    ],
)
def test_a_client_that_does_not_say_hello_is_told_why_there_is_no_call(first: str | bytes | None, said: str):
    answers = []

    async def main() -> None:
        client, server = pair()
        if first is not None:
            await client.send(first)
        try:
            await websocket.answer(server)
        finally:
            answers.append((await told(client), server.close_code))

    with pytest.raises(ProtocolError) as raised:
        clock.run(main(), skip_idle=True)
    assert str(raised.value).startswith(said)
    assert answers == [({"type": "error", "error": str(raised.value)}, 1008)]


@pytest.mark.parametrize(("form", "rate_hz"), [("pcm_s16le", 8000), ("pcm_s16le", 16000), ("mulaw", 8000)])
def test_audio_goes_both_ways_in_the_agreed_format(form: str, rate_hz: int):
    pcm = SOUND.tobytes()
    wire = mulaw.encode(pcm) if form == "mulaw" else pcm
    back = []

    async def scene(client: Socket, line: websocket.WebSocket) -> None:
        await client.send(wire)
        line.play(pcm)
        await asyncio.sleep(0.1)
        back.append(await told(client))

    _, heard, _ = on_a_socket(scene, format=form, rate_hz=rate_hz)
    assert back == [wire]
    assert bytes(heard.pcm) == (mulaw.decode(wire) if form == "mulaw" else pcm)


def test_without_marks_the_clock_says_what_was_heard_and_with_them_the_client():
    async def by_the_clock(client: Socket, line: websocket.WebSocket) -> None:
        line.play(bytes(2 * 800))
        await asyncio.sleep(0.15)
        assert line.played() == 800

    async def by_the_client(client: Socket, line: websocket.WebSocket) -> None:
        line.play(bytes(2 * 800))
        await asyncio.sleep(0.15)
        assert isinstance(await told(client), bytes)
        mark = await told(client)
        assert mark == {"type": "mark", "name": mark["name"]}
        assert line.played() < 800
        await client.send(json.dumps({"type": "played", "name": mark["name"]}))
        await asyncio.sleep(0.01)
        assert line.played() == 800

    on_a_socket(by_the_clock)
    on_a_socket(by_the_client, marks=True)


def test_one_clear_follows_what_was_sent_however_often_it_is_asked_for():
    async def scene(client: Socket, line: websocket.WebSocket) -> None:
        line.clear()
        line.play(bytes(2 * 8000))
        await asyncio.sleep(0.2)
        line.clear()
        line.clear()

    _, _, rest = on_a_socket(scene)
    assert [each for each in rest if isinstance(each, dict)] == [{"type": "clear"}]


def test_hanging_up_and_keys():
    async def scene(client: Socket, line: websocket.WebSocket) -> None:
        await client.send(json.dumps({"type": "keys", "keys": "42#"}))
        await client.send(json.dumps({"type": "hang_up"}))

    ended, heard, rest = on_a_socket(scene)
    assert ended == "caller_hung_up"
    assert heard.pressed == "42#"
    assert rest == [{"type": "bye"}]


@pytest.mark.parametrize(
    "nonsense",
    [
        "{", "[]", "{}", '{"type":"mark"}', '{"type":"played","name":5}', '{"type":"keys","keys":"hello"}',
        '{"type":"hang_up","now":true}', "x" * 70_000, bytes(3), bytes(16_002), bytes(70_000), hello(),
    ],
    ids=lambda each: str(each)[:20],
)  # fmt: skip
def test_a_message_without_sense_is_left_out(nonsense: str | bytes):
    async def scene(client: Socket, line: websocket.WebSocket) -> None:
        await client.send(bytes(320))
        await client.send(nonsense)
        await client.send(bytes(320))
        await asyncio.sleep(0.05)
        assert line.faults == 1

    ended, heard, _ = on_a_socket(scene)
    assert ended == "caller_hung_up"
    assert len(heard.pcm) == 640


def test_a_broken_ear_ends_the_call_with_its_own_error():
    class Broken(Listener):
        def audio(self, pcm: bytes) -> None:
            raise RuntimeError("the ear fell off")

    async def main() -> None:
        client, server = pair()
        await client.send(hello())
        line = await websocket.answer(server)
        await client.send(bytes(320))
        await line.run(Broken())

    with pytest.raises(RuntimeError, match="the ear fell off"):
        clock.run(main(), skip_idle=True)


def test_a_whole_call_with_its_events():
    async def main() -> tuple[events.CallEnded, list[Any]]:
        client, server = pair()
        await client.send(hello(events=True, caller="load test"))
        line = await websocket.answer(server)
        call = Call(
            Agent.parse(AGENT), line, stt=ScriptSTT([]), tts=ToneTTS(8000), brain=EchoBrain(greeting="Hello there.")
        )
        call.subscribe(line.event)
        running = asyncio.create_task(call.run())
        for _ in range(100):
            await asyncio.sleep(0.02)
            await client.send(bytes(320))
        await client.send(json.dumps({"type": "hang_up"}))
        ended = await running
        await line.hang_up()
        await asyncio.sleep(0.1)
        return ended, [await told(client) for _ in range(client._came.qsize() - 1)]

    ended, messages = clock.run(main(), skip_idle=True)
    assert ended.reason == "caller_hung_up"
    assert sum(len(each) for each in messages if isinstance(each, bytes)) == 2 * round(2 * WORD_S * 8000)
    kinds = [each["event"]["type"] for each in messages if isinstance(each, dict) and each["type"] == "event"]
    assert kinds[0] == "call_started"
    assert "agent_speech_stopped" in kinds
    assert messages[-1] == {"type": "bye"}
