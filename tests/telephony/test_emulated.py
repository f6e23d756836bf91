"""The telephone network on this machine, and a real server that takes it for Twilio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from pydantic import SecretStr

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from tests.doubles.eventually import eventually
from tests.doubles.phone_server import Leftovers, served
from tests.doubles.sockets import pair
from tests.doubles.spoken import AGENT, speech
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from tests.doubles.twilio_caller import PUBLIC, TOKEN
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.brain import HandOver, Output, Say
from voicebot.call import Call
from voicebot.errors import BadInput, Unavailable
from voicebot.server.twilio.signature import SETTING
from voicebot.telephony.emulated import Network, Told
from voicebot.telephony.media_stream import MediaStream
from voicebot.transports import twilio
from voicebot.transports.link import Link


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


async def test_a_telephone_here_calls_the_server_and_hangs_up(tmp_path: Path):
    async with served(tmp_path, public_url=PUBLIC) as server:
        leftovers = Leftovers(server)
        network = Network(f"http://{server.address}", SecretStr(TOKEN), public=PUBLIC)
        telephone, told = Link("+15550100", rate_hz=8000), Told()
        calling = asyncio.create_task(network.call("/twilio/voice/ava", telephone, told=told))
        await eventually(lambda: telephone.played() > 4000, within_s=20)
        telephone.hang_up()
        await calling
        assert (told.streams, told.hung_up) == (1, "the caller")
        await server.idle()
        (row,) = (await server.site.state.calls.list()).rows
        assert (row.outside_id, row.reason) == (told.call_sid, "caller_hung_up")
        await leftovers.none()


async def test_where_a_caller_would_be_put_through_is_told(tmp_path: Path):
    class HandsOver(EchoBrain):
        async def greet(self) -> AsyncGenerator[Output, None]:
            yield Say("One moment.")
            yield HandOver("+15550123", "asked for it")

    async with served(tmp_path, brain=HandsOver) as server:
        network = Network(f"http://{server.address}", SecretStr(TOKEN))
        told = await network.call("/twilio/voice/ava", Link("+15550100", rate_hz=8000))
        assert (told.dialled, told.hung_up) == (["+15550123"], "the server")


async def test_a_server_that_does_not_know_the_signature_is_unavailable(tmp_path: Path):
    async with served(tmp_path) as server:
        network = Network(f"http://{server.address}", SecretStr("0" * 32))
        with pytest.raises(Unavailable, match="403"):
            await network.call("/twilio/voice/ava", Link("+15550100", rate_hz=8000))


async def test_a_server_without_room_is_heard_and_not_streamed(tmp_path: Path):
    async with served(tmp_path) as server:
        server.site.admission.draining = True
        network = Network(f"http://{server.address}", SecretStr(TOKEN))
        told = await network.call("/twilio/voice/ava", Link("+15550100", rate_hz=8000))
        assert (told.streams, told.said) == (0, ["All our lines are busy. Please call again in a moment."])


def test_a_stream_in_one_process_carries_speech_marks_and_a_barge_in():
    """On the skip-idle clock, as evaluations use it: what was heard is known by marks alone."""

    async def talk() -> list[events.Event]:
        client, server = pair(0.02)
        telephone = Link("+15550100", rate_hz=8000)
        stream = MediaStream(telephone, client, call_sid="CA1", parameters={"caller": "Maria"})
        told: list[events.Event] = []

        async def speak() -> None:
            await asyncio.sleep(1.5)
            await telephone.speak(await speech("stop please", 8000))
            await asyncio.sleep(3.0)
            telephone.hang_up()

        running = [asyncio.create_task(stream.run()), asyncio.create_task(speak())]
        line = await twilio.answer(server)
        brain = EchoBrain(greeting="Good morning and welcome to all of us here. " * 5)
        call = Call(Agent.parse(AGENT), line, stt=ScriptSTT(["stop"]), tts=ToneTTS(8000), brain=brain)
        call.subscribe(told.append)
        await call.run()
        await asyncio.gather(*running)
        return told

    told = clock.run(talk(), skip_idle=True)
    started = next(event for event in told if isinstance(event, events.CallStarted))
    assert (started.transport, started.caller) == ("twilio", "Maria")
    stopped = next(event for event in told if isinstance(event, events.AgentSpeechStopped))
    assert stopped.interrupted
    assert 0 < len(stopped.heard) < len(stopped.said)
    assert [event.reason for event in told if isinstance(event, events.CallEnded)] == ["caller_hung_up"]


def test_a_telephone_has_the_rate_of_the_telephone_network():
    with pytest.raises(BadInput, match="8000 Hz"):
        MediaStream(Link("+15550100", rate_hz=16000), pair()[0], call_sid="CA1")
