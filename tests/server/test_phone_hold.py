"""A caller who waits: music, nobody who listens, and what brings the agent back. On the skip-idle clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.doubles.phone_call import PhoneCall
from tests.doubles.stubs import EchoBrain
from voicebot import events
from voicebot.agent import Warm
from voicebot.brain import HandOver, Output
from voicebot.call.asides import Aside, Through, Wait
from voicebot.turns.on_hold import LONGEST_S

WARM = """
handoff: {to: "+15550177", warm: {sorry: Nobody is there.}}
"""


@dataclass
class Colleagues:
    """What puts callers through, and only notes it."""

    asked: list[Through] = field(default_factory=list)

    def reaches(self, to: str) -> bool:
        return to.startswith("+")

    def ask(self, through: Through) -> None:
        self.asked.append(through)

    def record(self) -> None:
        raise AssertionError("nobody has asked for that")


class HandsOver(EchoBrain):
    """In its first reply."""

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        async for output in super().reply(text):
            yield output
        if len(self.turns) == 1:
            yield HandOver("+15550177", "an invoice")


def loud(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, np.int16).astype(float)
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0


async def held(call: PhoneCall) -> None:
    call.call.interject(Aside("One moment.", Wait()))
    await call.until(events.CallerHeld)


def test_a_caller_who_waits_hears_music_and_is_not_answered_until_they_press_a_key():
    call = PhoneCall(["anybody there"], ["Here I am."])

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await held(call)
        await asyncio.sleep(5)
        before = len(call.stream.heard)
        await call.say("hello, is anybody there?")
        await asyncio.sleep(10)
        assert loud(bytes(call.stream.heard[before:])) > 100
        assert not call.brain.turns
        call.stream.press("5")
        call.stream.press("*")
        await call.until(events.AgentSpeechStopped, 3)
        quiet = len(call.stream.heard)
        await asyncio.sleep(2)
        assert loud(bytes(call.stream.heard[quiet:])) == 0
        await call.say("thank you")
        await call.until(events.AgentSpeechStopped, 4)

    call.play(caller)
    assert call.brain.turns == ["", "anybody there"]
    assert [each.why for each in call.all(events.CallerHeld)] == ["asked"]
    back = call.only(events.CallerBack)
    assert back.why == "key"
    assert back.waited_ms > 15_000
    assert not call.tasks_left


def test_a_caller_who_is_forgotten_gets_the_agent_back():
    call = PhoneCall([], ["Are you still there?"])

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await held(call)
        await call.until(events.CallerBack)

    call.play(caller)
    back = call.only(events.CallerBack)
    assert back.why == "forgotten"
    assert back.waited_ms == pytest.approx(LONGEST_S * 1000, abs=20)


def test_who_takes_no_call_leaves_it_with_the_agent_where_it_was():
    brain = HandsOver(["I will ask.", "Go on."], greeting="Hello there.")
    call = PhoneCall(["a person please", "all right then"], [], settings=WARM, brain=brain)
    colleagues = Colleagues()

    async def caller(call: PhoneCall) -> None:
        call.call.put_through = colleagues
        await call.until(events.AgentSpeechStopped)
        await call.say("a person please")
        await call.until(events.CallerHeld)
        await asyncio.sleep(20)
        call.call.back("not_taken", colleagues.asked[0].warm.sorry)
        await call.until(events.AgentSpeechStopped, 3)
        await call.say("all right then")
        await call.until(events.AgentSpeechStopped, 4)

    ended = call.play(caller)
    assert [(each.to, each.reason, each.warm) for each in colleagues.asked] == [
        ("+15550177", "an invoice", Warm(sorry="Nobody is there."))
    ]
    assert call.brain.turns == ["a person please", "all right then"]
    assert "Nobody is there." in [heard for heard, _ in call.brain.memory]
    assert not call.all(events.HandedOver)
    assert ended.reason == "caller_hung_up"


def test_a_caller_who_goes_on_speaking_does_not_wait():
    brain = HandsOver(["I will put you through.", "Gladly."], greeting="Hello there.")
    call = PhoneCall(["a person please", "or wait"], [], settings=WARM, brain=brain)
    colleagues = Colleagues()

    async def caller(call: PhoneCall) -> None:
        call.call.put_through = colleagues
        await call.until(events.AgentSpeechStopped)
        await call.say("a person please")
        await call.until(events.AgentSpeechStarted, 2)
        await asyncio.sleep(0.8)
        await call.say("oh no, please wait, I would rather ask you something about it")
        await call.until(events.AgentSpeechStopped, 3)

    call.play(caller)
    assert call.brain.turns[:2] == ["a person please", "or wait"]
    assert not colleagues.asked
    assert not call.all(events.CallerHeld)


def test_where_no_network_has_the_call_it_is_handed_over_at_once():
    brain = HandsOver(["I will put you through."], greeting="Hello there.")
    call = PhoneCall(["a person please"], [], settings=WARM, brain=brain)

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("a person please")
        await call.until(events.CallEnded)

    ended = call.play(caller)
    assert (ended.reason, ended.detail) == ("handed_over", "+15550177")
    assert call.only(events.HandedOver).to == "+15550177"


def test_a_goodbye_from_outside_does_not_wait_for_who_waits():
    call = PhoneCall([], [])

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await held(call)
        await asyncio.sleep(3)
        call.call.interject(Aside("We close now. Goodbye.", ("agent_hung_up", "closing")))
        await call.until(events.CallEnded)

    ended = call.play(caller)
    assert (ended.reason, ended.detail) == ("agent_hung_up", "closing")
    assert call.all(events.AgentSpeechStopped)[-1].heard == "We close now. Goodbye."
