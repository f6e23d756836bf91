"""Simulated callers who telephone: the same call over Twilio's Media Streams, and none of it in real time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from voicebot import clock, events, project
from voicebot.errors import BadInput
from voicebot.evals import planning, scenario, suite
from voicebot.personas.line import Line, Loss, telephone
from voicebot.personas.phoned import DELAY_MS, PhoneLine
from voicebot.personas.run import simulate
from voicebot.personas.wire import Wire
from voicebot.store import calls as records
from voicebot.transports.dialect import SocketClosed
from voicebot.transports.paired import pair


class Heard:
    """What the agent's side is given."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.first_s = 0.0

    def audio(self, pcm: bytes) -> None:
        self.first_s = self.first_s or asyncio.get_running_loop().time()
        self.pcm += pcm

    def text(self, text: str) -> None:
        raise AssertionError("nobody types")


def test_what_a_telephone_carries_is_there_to_the_sample_and_later(tmp_path: Path):
    async def call() -> tuple[Heard, float, bytes, str]:
        line = telephone(Line(jitter_ms=60))
        wire = Wire("Maria", line, seed=3)
        phone = await PhoneLine.ring(wire, line, seed=3)
        heard, began_s = Heard(), asyncio.get_running_loop().time()
        calling = asyncio.create_task(phone.run(heard))
        tone = (9000 * np.sin(np.arange(8000) * 2 * np.pi * 300 / 8000)).astype("<i2").tobytes()
        phone.play(tone)
        await wire.speak(tone)
        wire.hang_up()
        ended = await calling
        await phone.close()
        return heard, heard.first_s - began_s, tone, ended

    heard, later_s, tone, ended = clock.run(call(), skip_idle=True)
    assert ended == "caller_hung_up"
    assert DELAY_MS / 1000 <= later_s - 0.02 <= (DELAY_MS + 61) / 1000
    sent, came = np.frombuffer(tone, "<i2").astype(float), np.frombuffer(bytes(heard.pcm), "<i2").astype(float)
    assert len(came) == pytest.approx(len(sent), abs=320)
    error = came[: len(sent)] - sent
    assert np.sqrt(np.mean(error**2)) < 0.03 * np.sqrt(np.mean(sent**2)), "mu-law, and nothing lost"


def test_two_ends_of_a_socket_keep_the_order_and_say_goodbye():
    async def talk() -> list[str]:
        ours, theirs = pair(delay_ms=30, jitter_ms=200, seed=1)
        for number in range(50):
            await ours.send(str(number))
        await ours.close(1000, "done")
        came = [str(await theirs.receive()) for _ in range(50)]
        for _ in range(2):
            with pytest.raises(SocketClosed) as closed:
                await theirs.receive()
            assert closed.value.clean
        with pytest.raises(SocketClosed):
            await ours.send("late")
        return came

    assert clock.run(talk(), skip_idle=True) == [str(number) for number in range(50)]


@pytest.fixture(scope="module")
def dental(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("phoned") / "clinic"
    project.create(root, "dental")
    return root


def test_a_caller_books_by_telephone_over_a_line_that_loses_and_delays(dental: Path, tmp_path: Path):
    what = scenario.find("prices", dental)
    line = Line(loss=Loss(percent=1), jitter_ms=40)
    call = simulate(
        dental / "agents" / "ava.yaml",
        "maria",
        role=what.role,
        kind=what.caller,
        channel="phone",
        line=line,
        at=what.at,
        record=tmp_path / "call",
    )
    assert call.broke == ""
    assert call.content, call.lost
    kept = records.read(tmp_path / "call")
    assert (kept.started.transport, kept.started.rate_hz, kept.started.clock) == ("twilio", 8000, "skip-idle")
    assert not [each for each in kept.events if isinstance(each, events.ProviderFailed)]
    assert call.wall_seconds < call.seconds


def test_a_suite_can_be_called_by_telephone_whatever_its_scenarios_say(dental: Path):
    calls = suite.find("ci", dental).plan(dental, channel="phone")
    assert {call.case.channel for call in calls} == {"phone"}
    assert {call.line.rate_hz for call in calls if call.case.line == "phone"} == {8000}
    own = suite.Suite(name="own", scenarios=["prices"], channel="text").plan(dental)
    assert {call.case.channel for call in own} == {"text"}
    assert planning.plan(suite.Suite(name="own", scenarios=["prices"]), dental, None, None)[0].case.channel == "audio"


def test_a_wideband_recording_cannot_be_telephoned():
    with pytest.raises(BadInput, match="16000 Hz cannot be telephoned"):
        clock.run(PhoneLine.ring(Wire("Maria", Line(), seed=0), Line(), 0), skip_idle=True)
