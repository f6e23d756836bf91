"""Twilio Media Streams: what may come over one, and what comes of it."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

from tests.doubles.sockets import Socket, pair
from tests.doubles.stream_scene import Listener, b64, media, on_a_stream, said, start
from tests.doubles.twilio_stream import ACCOUNT_SID, CALL_SID, STREAM_SID
from voicebot import clock
from voicebot.transports import twilio
from voicebot.transports.dialect import LineLost, ProtocolError

# -- the beginning ---------------------------------------------------------------------------------------------------


async def _answered(*messages: str | bytes, close: int | None = None) -> tuple[twilio.Twilio, Socket]:
    client, server = pair()
    for message in messages:
        await client.send(message)
    if close:
        await client.close(close)
    return await twilio.answer(server), server


def answering(*messages: str | bytes, close: int | None = None) -> twilio.Twilio:
    async def main() -> twilio.Twilio:
        return (await _answered(*messages, close=close))[0]

    return clock.run(main(), skip_idle=True)


def test_the_parameters_of_the_twiml_are_there_before_the_call_is():
    line = answering(start(customParameters={"token": "t0", "caller": "+15550100"}))
    assert line.start.parameters["token"] == "t0"
    assert (line.start.call_sid, line.caller) == (CALL_SID, "+15550100")


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([media(1)], "`media` came before `start`"),
        ([said("stop")], "`stop` came before `start`"),
        ([b"\x00\x01"], "before `start` there was a binary message"),
        (["{"], "before `start` there was a message that is not JSON"),
        (["[" * 5000], "before `start` there was a message that is not JSON"),
        (["[1]"], "before `start` there was a message that is not an object"),
        (["{}"] * 9, "no `start` came, but other messages"),
        ([json.dumps({"event": "start"})], "`start` is not what Twilio sends"),
        ([start(streamSid='MZ"}')], "`start.streamSid` is not what Twilio sends"),
        ([start(streamSid=7)], "`start.streamSid` is not what Twilio sends"),
        ([start(mediaFormat={"encoding": "audio/x-l16", "sampleRate": 8000, "channels": 1})], "`start.mediaFormat.enc"),
        ([start(mediaFormat={"encoding": "audio/x-mulaw", "sampleRate": 16000})], "`start.mediaFormat.sampleRate`"),
        ([start(customParameters={"a": {"b": 1}})], "`start.customParameters.a` is not what Twilio sends"),
        ([start(customParameters={str(n): "" for n in range(65)})], "`start.customParameters` is not what Twilio"),
        ([], "no `start` came within 5 s"),
    ],
)
def test_a_stream_that_does_not_begin_as_streams_begin_is_closed(messages: list[str | bytes], said: str):
    closed = []

    async def main() -> None:
        client, server = pair()
        for message in messages:
            await client.send(message)
        try:
            await twilio.answer(server)
        finally:
            closed.append(server.close_code)

    with pytest.raises(ProtocolError) as raised:
        clock.run(main(), skip_idle=True)
    assert str(raised.value).startswith(said)
    assert closed == [1008]


@pytest.mark.parametrize("code", [1000, 1006])
def test_a_stream_closed_before_its_start_is_no_call(code: int):
    with pytest.raises(LineLost, match="closed before its `start`"):
        answering(close=code)


# -- what may go wrong on the way ------------------------------------------------------------------------------------


def test_stop_is_a_hang_up():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        await client.send(media(1))
        await client.send(said("stop", accountSid=ACCOUNT_SID, callSid=CALL_SID))
        await client.send(media(2))  # nobody is there any more
        await asyncio.sleep(1)

    ended, heard, client = on_a_stream(scene)
    assert ended == "caller_hung_up"
    assert len(heard.pcm) == 320
    assert client.closed
    assert client.closed.clean


def test_keys_reach_the_ear_and_nothing_but_keys():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        for digit in ("4", "2", "#", "x", "", "12", None):
            await client.send(said("dtmf", track="inbound_track", digit=digit))
        await asyncio.sleep(0.1)

    _, heard, _ = on_a_stream(scene)
    assert heard.pressed == "42#"


NONSENSE: list[str | bytes] = [
    b"\x00" * 160,
    "not json",
    "[]",
    "null",
    said("media", sid="MZ-of-another-call", payload=b64(b"\xff" * 160)),
    json.dumps({"event": "media", "streamSid": STREAM_SID}),
    said("media", track="inbound"),
    said("media", track="inbound", payload=7),
    said("media", track="inbound", payload=""),
    said("media", track="inbound", payload="%%%%"),
    said("media", track="inbound", payload="AAAAA"),
    said("media", track="inbound", payload="A" * 60_000),
    said("media", track="inbound", payload="A" * 100_000),
    media(1, chunk="one"),
    media(1, chunk="9" * 5000),
    media(1, timestamp=[1]),
    said("mark"),
    said("mark", name=3),
    said("dtmf", digit="99"),
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=[str(each)[:40] for each in NONSENSE])
def test_a_message_without_sense_is_left_out_and_the_call_goes_on(nonsense: str | bytes):
    faults = []

    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        await client.send(media(1, 1000))
        await client.send(nonsense)
        await client.send(media(2, 2000))
        await asyncio.sleep(0.1)
        faults.append(line.faults)

    ended, heard, _ = on_a_stream(scene)
    assert ended == "caller_hung_up"
    assert set(np.frombuffer(heard.pcm, np.int16) // 900) == {1, 2}
    assert len(heard.pcm) == 640
    assert faults == [1]


@pytest.mark.parametrize(
    "message",
    ['{"event":"a new one","streamSid":"x"}', "{}", '{"event": ["media"]}', said("media", track="outbound")],
)
def test_what_twilio_may_say_and_does_not_matter_is_no_fault(message: str):
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        await client.send(message)
        await asyncio.sleep(0.1)
        assert line.faults == 0

    ended, heard, _ = on_a_stream(scene)
    assert ended == "caller_hung_up"
    assert not heard.pcm


def test_a_second_start_ends_the_call():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        await client.send(start())
        await asyncio.sleep(1)

    ended, _, _ = on_a_stream(scene)
    assert isinstance(ended, ProtocolError)
    assert str(ended) == "a second `start` came"
