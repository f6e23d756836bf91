"""What somebody outside the conversation asks of a running call, and the keys that its caller presses."""

from __future__ import annotations

import asyncio

import pytest

from tests.doubles.spoken import SpokenCall
from voicebot import events
from voicebot.call.asides import MOST, Aside, Asides
from voicebot.errors import BadInput

LONG = "one two three four five six seven eight nine ten eleven twelve"


def said(call: SpokenCall) -> list[str]:
    return [event.text for event in call.all(events.AgentSaying)]


def test_the_agent_says_what_it_is_told_to_and_remembers_it():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        call.call.interject(Aside("Somebody joins us."))
        await call.until(events.AgentSpeechStopped, 2)

    call = SpokenCall([], [])
    call.play(caller)
    assert said(call) == ["Hello there.", "Somebody joins us."]
    assert call.brain.memory[-1] == ("Somebody joins us.", False)


def test_it_waits_until_the_agent_has_finished_its_sentence():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        call.call.interject(Aside("Somebody joins us."))
        await call.until(events.AgentSpeechStopped, 2)

    call = SpokenCall([], [], greeting=LONG)
    call.play(caller)
    assert said(call) == [LONG, "Somebody joins us."]
    assert not any(event.interrupted for event in call.all(events.AgentSpeechStopped))


def test_it_waits_until_the_caller_has_been_answered():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        speaking = asyncio.create_task(call.say("I would like to book an appointment."))
        await call.until(events.CallerSpeechStarted)
        call.call.interject(Aside("Somebody joins us."))
        await speaking
        await call.until(events.AgentSpeechStopped, 3)

    call = SpokenCall(["book an appointment"], ["Which day?"])
    call.play(caller)
    assert said(call) == ["Hello there.", "Which day?", "Somebody joins us."]


def test_a_goodbye_is_heard_before_the_line_is_dead():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        call.call.interject(Aside("We close now.", ("agent_hung_up", "the server stops")))
        await asyncio.sleep(30)

    call = SpokenCall([], [])
    ended = call.play(caller)
    assert (ended.reason, ended.detail) == ("agent_hung_up", "the server stops")
    assert call.all(events.AgentSpeechStopped)[-1].heard == "We close now."


def test_a_transfer_that_the_caller_talks_over_comes_behind_the_answer():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        call.call.interject(Aside(LONG, ("handed_over", "+12125550100")))
        await call.until(events.AgentSpeechStarted, 2)
        await asyncio.sleep(0.5)
        await call.say("Wait, one more question please.")
        await asyncio.sleep(30)

    call = SpokenCall(["wait one more question please"], ["Go ahead."])
    ended = call.play(caller)
    assert (ended.reason, ended.detail) == ("handed_over", "+12125550100")
    assert call.brain.turns == ["wait one more question please"]
    assert said(call)[-1] == "Go ahead."
    assert call.only(events.HandedOver).to == "+12125550100"


def test_the_agent_hangs_up_at_once_when_it_is_told_to():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        call.call.end("agent_hung_up", "over the API")
        await asyncio.sleep(30)

    call = SpokenCall([], [], greeting=LONG)
    ended = call.play(caller)
    assert (ended.reason, ended.detail) == ("agent_hung_up", "over the API")
    assert call.only(events.AgentSpeechStopped).interrupted


def test_more_than_anybody_would_listen_to_is_refused():
    asides = Asides()
    for _ in range(MOST):
        asides.add(Aside("again"))
    with pytest.raises(BadInput, match="wait to be said"):
        asides.add(Aside("again"))


def test_keys_silence_the_agent_and_are_one_answer():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(0.3)
        for key in "417#":
            call.call.keys(key)
            await asyncio.sleep(0.2)
        await call.until(events.AgentSpeechStopped, 2)

    call = SpokenCall([], ["Thank you."], greeting=LONG)
    call.play(caller)
    pressed = call.only(events.KeysPressed)
    assert (pressed.side, pressed.keys, pressed.turn) == ("caller", "417", 1)
    assert call.brain.turns == ["417"]
    assert call.all(events.AgentSpeechStopped)[0].interrupted
    assert said(call)[-1] == "Thank you."
