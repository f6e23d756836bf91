"""When the brain is told what the caller has probably said, before it is sure."""

from __future__ import annotations

import asyncio

from tests.doubles.spoken import SpokenCall
from voicebot import events


async def asks(call: SpokenCall, *parts: str, pause_s: float = 0.45) -> None:
    await call.until(events.AgentSpeechStopped)
    await asyncio.sleep(0.5)
    for index, part in enumerate(parts):
        await asyncio.sleep(pause_s if index else 0.0)
        await call.say(part)
    await call.until(events.AgentSpeechStopped, 2)


def test_the_brain_is_told_as_soon_as_the_caller_pauses():
    call = SpokenCall(["when do you open on monday"], ["At eight."])
    call.play(lambda call: asks(call, "When do you open on Monday?"))
    assert call.brain.guesses == ["when do you open on monday"]
    assert call.brain.turns == call.brain.guesses


def test_it_is_told_when_the_caller_goes_on():
    words = "I would like to know when you are open on monday"
    call = SpokenCall([words], ["At eight."], settings="voice: {turns: {end_of_turn: silence}}\n")
    call.play(lambda call: asks(call, "I would like to know", "when you are open on Monday."))
    assert call.brain.guesses == [words, "", words]
    assert call.brain.turns == [words]


def test_words_that_are_surely_unfinished_are_no_guess():
    call = SpokenCall(["I would like to come on the"], ["On which day?"])
    call.play(lambda call: asks(call, "I would like to come on the"))
    assert call.brain.guesses == []
    assert call.brain.turns == ["I would like to come on the"]


def test_a_recogniser_without_interim_words_lets_it_guess_from_its_last():
    call = SpokenCall(["when do you open on monday"], ["At eight."], interim=False)
    call.play(lambda call: asks(call, "When do you open on Monday?"))
    assert call.brain.guesses == ["when do you open on monday"]


def test_a_sound_over_the_agent_is_no_guess():
    async def coughs(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(0.3)
        await call.say("Mhm.")
        await call.until(events.AgentSpeechStopped)

    call = SpokenCall(["mhm"], [], greeting="Hello there, this is a long greeting for you to listen to.")
    call.play(coughs)
    assert call.brain.guesses == []
