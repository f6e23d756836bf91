"""What every call over a socket has in common: the order of sound, marks and clears, the ways a line ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from tests.doubles.sockets import Socket, pair
from tests.doubles.stream_scene import Listener, media, on_a_stream
from tests.doubles.twilio_stream import STREAM_SID, TwilioStream
from voicebot import clock
from voicebot.transports import leg, twilio
from voicebot.transports.dialect import LineLost, ProtocolError
from voicebot.transports.link import Link


def test_a_line_that_goes_dead_without_a_word_ends_the_call():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        await client.send(media(1))
        await asyncio.sleep(3 * leg.DEAD_S)

    ended, _, _ = on_a_stream(scene)
    assert isinstance(ended, LineLost)
    assert "went dead" in str(ended)


def test_a_far_side_that_takes_nothing_ends_the_call_before_memory_does():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        client.takes.clear()
        for number in range(1, 800):
            line.play(bytes(2 * 8000))
            if not client.closed:
                await client.send(media(number))
            await asyncio.sleep(0.2)

    ended, _, _ = on_a_stream(scene)
    assert isinstance(ended, LineLost)
    assert "does not take" in str(ended)


def test_somebody_who_makes_no_sense_at_all_is_not_listened_to_for_ever():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        for _ in range(leg.MOST_FAULTS + 1):
            await client.send("nonsense")
        await asyncio.sleep(1)

    ended, _, client = on_a_stream(scene)
    assert isinstance(ended, ProtocolError)
    assert client.closed
    assert str(client.closed).startswith("1008")


def test_nobody_can_pour_in_more_audio_than_time_passes():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        for chunk in range(1, 150):
            await client.send(media(chunk, at_ms=1_000_000 * chunk))
        await asyncio.sleep(0.1)

    _, heard, _ = on_a_stream(scene)
    assert len(heard.pcm) <= 2 * 8000 * 2.1


def test_missing_audio_is_never_more_than_the_time_that_passed():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        await client.send(media(1))
        await asyncio.sleep(0.5)
        await client.send(media(2, at_ms=10**9))

    _, heard, _ = on_a_stream(scene)
    assert len(heard.pcm) / 16000 == pytest.approx(0.5, abs=0.03)


def test_audio_that_had_to_wait_for_us_is_heard_and_a_caller_whose_clock_is_fast_stays():
    """The models were loaded while the caller already spoke; and then 5 % more audio comes than time passes."""

    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        await asyncio.sleep(6)
        for number in range(1, 300):
            await client.send(media(number))
        await asyncio.sleep(0.01)
        assert line.faults == 0
        for number in range(300, 10_300):
            await client.send(media(number))
            await asyncio.sleep(0.019)

    ended, heard, _ = on_a_stream(scene)
    assert ended == "caller_hung_up"
    assert len(heard.pcm) / 16000 == pytest.approx(6 + 190 + 2, abs=0.2)


def test_audio_that_comes_twice_or_late_is_left_out_and_missing_audio_is_silence():
    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        for chunk in (1, 2, 2, 1, 3):
            await asyncio.sleep(0.02)
            await client.send(media(chunk, 1000 * chunk))
        await asyncio.sleep(0.1)
        await client.send(media(7, 7000))  # 4 to 6 are lost
        await client.send(media(5, 5000))  # and one of them comes too late
        await asyncio.sleep(0.1)
        assert line.faults == 3

    _, heard, _ = on_a_stream(scene)
    levels = [round(int(level) / 1000) for level in np.frombuffer(heard.pcm, np.int16)[::160]]
    assert levels == [1, 2, 3, 0, 0, 0, 7]


def test_audio_goes_out_ahead_in_large_pieces_each_with_a_mark_and_unsent_audio_is_dropped_by_a_clear():
    sent: list[dict[str, Any]] = []

    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        line.play(bytes(2 * 160))  # so little goes out at once, for the caller waits
        await asyncio.sleep(0.01)
        for _ in range(100):  # two seconds in small pieces, all at once
            line.play(bytes(2 * 160))
        await asyncio.sleep(0.15)
        while not client._came.empty():
            sent.append(json.loads(str(await client.receive())))
        line.play(bytes(2 * 8000))
        line.clear()
        await asyncio.sleep(0.2)
        assert json.loads(str(await client.receive()))["event"] == "clear"
        assert client._came.empty()

    on_a_stream(scene)
    assert {message["streamSid"] for message in sent} == {STREAM_SID}
    lengths = [len(message["media"]["payload"]) * 3 // 4 for message in sent if message["event"] == "media"]
    assert [message["event"] for message in sent] == ["media", "mark"] * len(lengths)
    assert len(lengths) <= 8
    assert sum(lengths) == pytest.approx(160 * 101, abs=20)


def test_a_clear_is_not_kept_waiting_behind_sound_that_has_not_left():
    events: list[str] = []

    async def scene(client: Socket, line: twilio.Twilio, ear: Listener) -> None:
        client.takes.clear()
        line.play(bytes(2 * 80_000))
        await asyncio.sleep(0.5)
        line.clear()
        client.takes.set()
        await asyncio.sleep(0.1)
        while not client._came.empty():
            events.append(json.loads(str(await client.receive()))["event"])

    on_a_stream(scene)
    assert events == ["media", "clear"]  # the one was on its way


def test_the_double_plays_in_real_time_and_answers_marks_when_it_has():
    """The double is what other tests lean on: it has to be slow where Twilio is."""

    async def main() -> None:
        client, server = pair()
        phone = Link("+15550100", rate_hz=8000)
        stream = TwilioStream(phone, client)
        running = asyncio.create_task(stream.run())
        line = await twilio.answer(server)
        listening = asyncio.create_task(line.run(Listener()))
        line.play(np.full(8000, 5000, np.int16).tobytes())
        await asyncio.sleep(0.5)
        assert stream.spoken == pytest.approx(4000, abs=320)
        assert line.played() <= stream.spoken
        assert phone.agent_speaking
        await asyncio.sleep(0.6)
        assert stream.spoken == line.played() == 8000
        assert round(float(np.frombuffer(stream.heard, np.int16).max()), -3) == 5000
        stream.press("5")
        phone.hang_up()
        assert await listening == "caller_hung_up"
        await line.hang_up()
        await running

    clock.run(main(), skip_idle=True)
