"""Whole calls in which a provider in the cloud breaks: the next one takes over and the caller hardly notices.

The real SDKs talk to loopback servers that speak the providers' protocols.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial

import pytest

pytest.importorskip("deepgram", reason='not installed: pip install "voicebot[cloud]"')
pytest.importorskip("elevenlabs", reason='not installed: pip install "voicebot[cloud]"')

from tests.doubles.deepgram_server import DeepgramServer
from tests.doubles.elevenlabs_server import ElevenLabsServer
from tests.doubles.spoken import AGENT, speech
from tests.doubles.stubs import EchoBrain, ScriptSTT
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.providers import Candidate
from voicebot.stt.deepgram import Deepgram
from voicebot.stt.failover import Ears
from voicebot.transports.link import Link
from voicebot.tts import Speech
from voicebot.tts.elevenlabs import ElevenLabs
from voicebot.tts.espeak import Espeak
from voicebot.tts.failover import Voices

SAID = "I would like to book a cleaning please"
ANSWER = "Of course, I can help you with that. Which day of the week would suit you best?"


def itself(provider):
    return provider


def spoken_call(hears: DeepgramServer, speaks: ElevenLabsServer) -> tuple[list[events.Event], list[str]]:
    """One turn, in real time for the sockets' sake. Returns the events, and the failures as they were reported."""
    told: list[events.Event] = []
    failures: list[str] = []

    def report(provider: str, error: Exception, remedy: str) -> None:
        failures.append(f"{provider} -> {remedy}")

    async def call() -> None:
        async with AsyncExitStack() as servers:
            await servers.enter_async_context(hears.running())
            await servers.enter_async_context(speaks.running())
            deepgram = Deepgram("nova-3", "key", "en", [], hears.address)
            rachel = ElevenLabs("flash-v2.5", "rachel", "key", "en", speaks.address)
            spare_ear, spare_voice = ScriptSTT([SAID]), Espeak("en-us+f2")
            ears = Ears(
                [Candidate("deepgram", partial(itself, deepgram)), Candidate("script", lambda: spare_ear)], report
            )
            voices = Voices(
                [Candidate("elevenlabs", partial(itself, rachel)), Candidate("espeak", lambda: spare_voice)], report
            )
            link = Link("tester")
            talk = Call(Agent.parse(AGENT), link, stt=ears, tts=voices, brain=EchoBrain([ANSWER], greeting="Hello."))
            talk.subscribe(told.append)
            running = asyncio.create_task(talk.run())
            await until(told, events.AgentSpeechStopped, 1)
            await link.speak(await speech(SAID))
            await until(told, events.AgentSpeechStopped, 2)
            link.hang_up()
            await running

    clock.run(asyncio.wait_for(call(), 60))
    return told, failures


async def until(told: list[events.Event], kind: type[events.Event], count: int) -> None:
    while sum(isinstance(event, kind) for event in told) < count:  # noqa: ASYNC110 - the events are a plain list
        await asyncio.sleep(0.02)


def only(told: list[events.Event], kind):
    return [event for event in told if isinstance(event, kind)]


def test_providers_that_work_do_all_of_it():
    hears, speaks = DeepgramServer([SAID]), ElevenLabsServer()
    told, failures = spoken_call(hears, speaks)
    assert [event.text for event in only(told, events.TurnEnded)] == [SAID]
    assert only(told, events.AgentSpeechStopped)[-1].heard == ANSWER
    assert only(told, events.TranscriptFinal)[0].confidence == pytest.approx(0.9)
    assert not failures


@pytest.mark.parametrize("fault", ["401", "cut", "error message"])
def test_a_recogniser_that_breaks_in_the_middle_does_not_lose_the_callers_words(fault):
    told, failures = spoken_call(DeepgramServer([SAID], fault), ElevenLabsServer())
    assert [event.text for event in only(told, events.TurnEnded)] == [SAID]
    assert only(told, events.AgentSpeechStopped)[-1].heard == ANSWER
    assert failures == ["deepgram -> next: script"]


@pytest.mark.parametrize("fault", ["429", "cut"])
def test_a_voice_that_breaks_in_the_middle_is_followed_by_the_next_without_repeating(fault):
    told, failures = spoken_call(DeepgramServer([SAID]), ElevenLabsServer(fault, after_voices=True))
    assert only(told, events.AgentSpeechStopped)[-1].heard == ANSWER
    assert "elevenlabs -> next: espeak" in failures


def test_a_voice_with_another_sample_rate_goes_on_at_its_own_speed():
    class TwoRates:
        name = "two"

        async def load(self) -> None: ...

        async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
            for rate_hz in (16000, 8000, 22050):
                yield Speech(b"\1\0" * rate_hz, rate_hz)

    told: list[events.Event] = []

    async def call() -> None:
        link = Link("tester")
        talk = Call(Agent.parse(AGENT), link, stt=ScriptSTT([]), tts=TwoRates(), brain=EchoBrain([], greeting="Hello."))
        talk.subscribe(told.append)
        running = asyncio.create_task(talk.run())
        await until(told, events.AgentSpeechStopped, 1)
        link.hang_up()
        await running

    clock.run(call(), skip_idle=True)
    (said,) = only(told, events.AgentSaying)
    assert said.ends_ms - said.starts_ms == pytest.approx(3000, abs=5), "three seconds of sound, whatever their rate"
