"""Whole calls through the engine: real speech, VAD, Smart Turn, pipeline and playout; only the providers are fakes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator

import pytest

from tests.doubles.spoken import SpokenCall
from tests.doubles.stubs import WORD_S, EchoBrain, ScriptSTT
from voicebot import events
from voicebot.brain import HandOver, HangUp, Output, Say
from voicebot.stt import Transcript

APPOINTMENT = "I would like to book an appointment."
LONG_REPLY = "one two three four five six seven eight nine ten eleven twelve"


async def one_turn(call: SpokenCall) -> None:
    await call.until(events.AgentSpeechStopped)
    await asyncio.sleep(0.5)
    await call.say(APPOINTMENT)
    await call.until(events.AgentSpeechStopped, 2)


def test_the_caller_speaks_and_the_agent_answers():
    call = SpokenCall(["book an appointment"], ["Which day?"])
    ended = call.play(one_turn)
    assert ended.reason == "caller_hung_up"
    assert call.brain.turns == ["book an appointment"]
    assert call.brain.memory == [("Hello there.", False), ("Which day?", False)]
    assert call.brain.closed
    ending = call.only(events.TurnEnded)
    assert ending.reason == "smart_turn"
    assert ending.probability is not None
    assert ending.turn == 1


def test_latency_stages_come_in_order_and_the_answer_within_half_a_second():
    call = SpokenCall(["book an appointment"], ["Which day?"])
    call.play(one_turn)
    order: list[type[events.Event]] = [
        events.CallerSpeechStopped,
        events.TranscriptFinal,
        events.TurnEnded,
        events.FirstToken,
        events.FirstClause,
        events.FirstAudio,
        events.AgentSpeechStarted,
    ]
    times = [call.all(kind)[-1].t_ms for kind in order]
    assert times == sorted(times)
    assert times[-1] - call.only(events.TurnEnded).speech_end_ms < 800


def test_words_over_the_agent_stop_it_within_200_ms_and_only_what_was_heard_is_remembered():
    call = SpokenCall(["wait a minute"], [], greeting=LONG_REPLY)

    async def interrupt(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(1.6)
        await call.say("Wait a minute, please.")
        await call.until(events.AgentSpeechStopped, 2)

    call.play(interrupt)
    paused, barged = call.only(events.AgentPaused), call.only(events.BargeIn)
    assert paused.t_ms - paused.speech_start_ms < 200
    stopped = call.all(events.AgentSpeechStopped)[0]
    assert stopped.interrupted
    words = round(paused.t_ms / 1000 / WORD_S)
    assert abs(len(stopped.heard.split()) - words) <= 1
    assert LONG_REPLY.startswith(stopped.heard)
    assert barged.heard == stopped.heard
    assert call.brain.memory[0] == (stopped.heard, True)
    assert call.brain.turns == ["wait a minute"]


@pytest.mark.parametrize("heard_as", ["", "uh-huh", "uh huh", "okay", "the"])
def test_a_sound_that_says_nothing_does_not_stop_the_agent(heard_as: str):
    call = SpokenCall([heard_as], [], greeting=LONG_REPLY)

    async def make_a_sound(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(1)
        await call.say("Uh huh.")
        await call.until(events.AgentSpeechStopped)

    call.play(make_a_sound)
    assert call.all(events.AgentPaused)
    assert call.all(events.AgentResumed)
    assert not call.all(events.BargeIn)
    assert not call.all(events.TurnEnded)
    assert call.only(events.AgentSpeechStopped).heard == LONG_REPLY
    assert call.brain.memory == [(LONG_REPLY, False)]


def test_a_yes_shortly_before_the_agent_ends_is_an_answer():
    call = SpokenCall(["yes"], ["Booked."], greeting="Shall I book it for you now?")

    async def answer_early(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(1.2)
        await call.say("Yes!")
        await call.until(events.AgentSpeechStopped, 2)

    call.play(answer_early)
    assert call.brain.turns == ["yes"]


def test_long_speech_over_the_agent_takes_the_floor_without_interim_words():
    call = SpokenCall([APPOINTMENT], [], greeting=LONG_REPLY, interim=False)

    async def talk_over(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(0.5)
        await call.say(APPOINTMENT)
        await call.until(events.AgentSpeechStopped, 2)

    call.play(talk_over)
    barged = call.only(events.BargeIn)
    assert barged.t_ms < call.only(events.CallerSpeechStopped).t_ms


def test_barge_in_can_be_switched_off():
    call = SpokenCall(["hello"], [], greeting=LONG_REPLY, settings="voice: {turns: {barge_in: false}}")

    async def talk_over(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(0.5)
        await call.say(APPOINTMENT)
        await call.until(events.AgentSpeechStopped)

    call.play(talk_over)
    assert not call.all(events.AgentPaused)
    assert call.only(events.AgentSpeechStopped).heard == LONG_REPLY
    assert call.brain.turns == []


def test_a_pause_after_an_unfinished_sentence_does_not_end_the_turn():
    call = SpokenCall(["i would like to", "book an appointment"], ["Fine."])

    async def hesitate(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await asyncio.sleep(0.5)
        await call.say("I would like to")
        await asyncio.sleep(0.7)
        await call.say("book an appointment please.")
        await call.until(events.AgentSpeechStopped, 2)

    call.play(hesitate)
    assert len(call.brain.turns) == 1


def test_an_unfinished_sentence_ends_after_a_longer_silence():
    call = SpokenCall(["i would like to"], ["Yes?"])

    async def trail_off(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await asyncio.sleep(0.5)
        await call.say("I would like to")
        await call.until(events.AgentSpeechStopped, 2)

    call.play(trail_off)
    ending = call.only(events.TurnEnded)
    assert ending.reason == "silence"
    assert 1200 < ending.t_ms - ending.speech_end_ms < 2000


def test_an_answer_that_settles_the_question_ends_the_turn_without_the_model():
    call = SpokenCall(["yes"], ["Good."], settles=True)
    call.play(one_turn)
    ending = call.only(events.TurnEnded)
    assert ending.reason == "text"
    assert ending.probability is None


def test_speech_during_a_slow_transcription_belongs_to_the_same_turn():
    call = SpokenCall(["book an appointment", "on tuesday"], ["Fine."], finish_s=0.9, settles=True)

    async def add_something(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await asyncio.sleep(0.5)
        await call.say(APPOINTMENT)
        await asyncio.sleep(0.45)
        await call.say("On tuesday.")
        await call.until(events.AgentSpeechStopped, 2)

    call.play(add_something)
    assert call.brain.turns == ["book an appointment on tuesday"]


def test_a_caller_who_goes_on_before_the_answer_is_heard_withdraws_the_first_turn():
    class Thinking(EchoBrain):
        async def reply(self, text: str) -> AsyncGenerator[Output, None]:
            self.turns.append(text)
            await asyncio.sleep(2)
            yield Say(f"You said {text}.")

    call = SpokenCall(["first", "second"], [], brain=Thinking(greeting="Hello there.", settles=True))

    async def go_on(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await asyncio.sleep(0.5)
        await call.say(APPOINTMENT)
        await call.until(events.TurnEnded)
        await asyncio.sleep(0.5)
        await call.say("On tuesday.")
        await call.until(events.AgentSpeechStopped, 2)

    call.play(go_on)
    assert call.all(events.AgentSpeechStopped)[1].said.endswith("You said second.")
    assert ("", True) in call.brain.memory
    assert not call.all(events.BargeIn)


def test_silence_is_asked_about_twice_and_then_the_agent_hangs_up():
    call = SpokenCall([], ["Are you there?", "Hello?"], settings="voice: {turns: {idle: 3s}}")

    async def say_nothing(call: SpokenCall) -> None:
        await asyncio.sleep(60)

    ended = call.play(say_nothing)
    assert ended.reason == "agent_hung_up"
    assert [event.times for event in call.all(events.CallerSilent)] == [1, 2, 3]
    assert call.brain.turns == ["", ""]
    assert not call.all(events.TurnEnded)


@pytest.mark.parametrize(
    ("output", "reason"), [(HangUp("done"), "agent_hung_up"), (HandOver("desk", "asked"), "handed_over")]
)
def test_the_agent_ends_the_call_after_its_last_words_were_heard(output: HangUp | HandOver, reason: str):
    class Parting(EchoBrain):
        async def reply(self, text: str) -> AsyncGenerator[Output, None]:
            yield output
            yield Say("Goodbye to you.")

    call = SpokenCall(["bye"], [], brain=Parting(greeting="Hello there."))
    ended = call.play(one_turn)
    assert ended.reason == reason
    assert call.all(events.AgentSpeechStopped)[-1].heard == "Goodbye to you."
    assert bool(call.all(events.HandedOver)) == (reason == "handed_over")


def test_a_brain_that_fails_apologises_and_the_call_goes_on():
    class Failing(EchoBrain):
        async def reply(self, text: str) -> AsyncGenerator[Output, None]:
            if text == "one":
                raise RuntimeError("no such model")
            yield Say("Better now.")

    call = SpokenCall(["one", "two"], [], brain=Failing(greeting="Hello there."))

    async def twice(call: SpokenCall) -> None:
        await one_turn(call)
        await asyncio.sleep(0.5)
        await call.say(APPOINTMENT)
        await call.until(events.AgentSpeechStopped, 3)

    call.play(twice)
    failed = call.only(events.ProviderFailed)
    assert failed.kind == "llm"
    assert "no such model" in failed.error
    said = [event.said for event in call.all(events.AgentSpeechStopped)]
    assert "sorry" in said[1]
    assert said[2] == "Better now."


def test_a_recogniser_that_fails_uses_its_interim_words():
    class Failing(ScriptSTT):
        async def finish(self) -> Transcript:
            raise ConnectionError("gone")

    call = SpokenCall([], ["Which day?"], stt=Failing(["book an appointment"], interim=True))
    call.play(one_turn)
    assert call.only(events.ProviderFailed).kind == "stt"
    assert call.brain.turns == ["book an appointment"]


def test_a_face_that_fails_is_dropped_and_the_call_goes_on():
    call = SpokenCall(["book"], ["Which day?"])
    seen: list[str] = []

    def broken(event: events.Event) -> None:
        seen.append(event.type)
        raise ValueError("broken face")

    async def subscribe(spoken: SpokenCall) -> None:
        spoken.call.subscribe(broken)
        await one_turn(spoken)

    assert call.play(subscribe).reason == "caller_hung_up"
    assert len(seen) == 1


@pytest.mark.parametrize("seed", range(20))
def test_interruptions_at_any_moment_leave_the_call_alive_and_its_memory_true(seed: int):
    """Callers that cut in anywhere: nothing deadlocks, and memory never holds more than was heard."""
    at_s = random.Random(seed).uniform(0.0, 3.9)
    call = SpokenCall(["stop", "hello"], ["First answer here now.", "Second answer."], greeting=LONG_REPLY)

    async def cut_in(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(at_s)
        await call.say("Stop it now, please.")
        await call.until(events.TurnEnded)
        await call.until(events.AgentSpeechStopped, 2)
        await asyncio.sleep(0.4)
        await call.say(APPOINTMENT)
        await call.until(events.AgentSpeechStopped, 3)

    assert call.play(cut_in).reason == "caller_hung_up"
    for stopped, (remembered, interrupted) in zip(call.all(events.AgentSpeechStopped), call.brain.memory, strict=True):
        assert (stopped.heard, stopped.interrupted) == (remembered, interrupted)
        assert stopped.said.startswith(stopped.heard)
