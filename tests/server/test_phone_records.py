"""What of a telephone call is recorded: said to the caller, paused around secrets, and Twilio's own. Skip-idle, but
for what Twilio has a part in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.doubles.phone_call import PhoneCall
from tests.doubles.stubs import EchoBrain
from voicebot import events
from voicebot.agent import Agent
from voicebot.brain import CallTool, Discreet, Moved, Output
from voicebot.call.chronicle import Chronicle
from voicebot.call.offrecord import NOT_KEPT, OffRecord
from voicebot.call.telling import Telling
from voicebot.flow import Flow

CARD = "4111 1111 1111 1111"
ANNOUNCES = """
recording: {announce: This call is recorded.}
"""


class Discretion(EchoBrain):
    """Pauses the recording with its first reply, and goes on with the second."""

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        if len(self.turns) < 2:
            yield Discreet(not self.turns)
        if len(self.turns) == 1:
            yield CallTool("1", "charge", {"card": text})
        async for output in super().reply(text):
            yield output


def sound_between(wav: Path, start_ms: float, end_ms: float) -> tuple[float, float]:
    """The loudest of caller and agent."""
    samples, rate = soundfile.read(wav)
    piece = np.abs(samples[int(start_ms * rate / 1000) : int(end_ms * rate / 1000)])
    return float(piece[:, 0].max()), float(piece[:, 1].max())


def test_while_the_record_is_paused_neither_sound_nor_words_are_kept(tmp_path: Path):
    call = PhoneCall(
        ["I want to pay", CARD, "that is all"], ["Your card number?", "Thank you.", "Goodbye."], record=tmp_path
    )
    call.brain = Discretion(["Your card number?", "Thank you.", "Goodbye."], greeting="Hello there.")

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("I want to pay")
        await call.until(events.AgentSpeechStopped, 2)
        await call.say("four one one one one one one one")
        await call.until(events.AgentSpeechStopped, 3)
        await call.say("that is all")
        await call.until(events.AgentSpeechStopped, 4)

    call.play(caller)
    paused, resumed = call.all(events.RecordingChanged)
    assert (paused.state, paused.by, resumed.state) == ("paused", "us", "resumed")
    assert call.brain.turns == ["I want to pay", CARD, "that is all"], "the agent has heard it"
    kept = (tmp_path / call.call.id / "events.jsonl").read_text()
    assert "4111" not in kept
    assert call.only(events.ToolCalled).arguments == {"card": NOT_KEPT}
    assert [each.text for each in call.all(events.TurnEnded)] == ["I want to pay", NOT_KEPT, "that is all"]
    wav = tmp_path / call.call.id / "call.wav"
    assert sound_between(wav, paused.t_ms + 200, resumed.t_ms - 200) == (0, 0)
    assert min(sound_between(wav, resumed.t_ms + 200, 1e9)) > 0.01


def test_a_caller_hears_first_that_the_call_is_recorded(tmp_path: Path):
    call = PhoneCall([], [], settings=ANNOUNCES, record=tmp_path)

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)

    call.play(caller)
    assert call.only(events.AgentSpeechStopped).heard == "This call is recorded. Hello there."


def test_who_interrupts_that_hears_it_again(tmp_path: Path):
    call = PhoneCall(["hello hello hello"], ["Good morning."], settings=ANNOUNCES, record=tmp_path)

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(0.3)
        await call.say("hello, hello, who is there?")
        await call.until(events.AgentSpeechStopped, 3)

    call.play(caller)
    assert [each.heard for each in call.all(events.AgentSpeechStopped)][1:] == [
        "Good morning.",
        "This call is recorded.",
    ]


def test_without_a_record_nobody_is_told_of_one():
    call = PhoneCall([], [], settings=ANNOUNCES)

    async def caller(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)

    call.play(caller)
    assert call.only(events.AgentSpeechStopped).heard == "Hello there."


# -- a flow's secrets --------------------------------------------------------------------------------------------------


class Told(Chronicle):
    """What a call tells, without the call."""

    def __init__(self) -> None:
        super().__init__(Telling())
        self.events: list[events.Event] = []
        self._telling.subscribe(self.events.append)

    def moved(self, flow: Flow, node: str, **slots: object) -> events.BrainMoved:
        self._keep_secrets(flow, Moved(node, dict(slots)))
        return self._emit(events.BrainMoved, node=node, slots=dict(slots))


def flow_of(agent: str) -> Flow:
    flow = Agent.parse(agent).flow
    assert flow
    return flow


PAYS = """
name: Payments
flow:
  slots:
    amount: {type: money, ask: How much?}
    card: {type: code, ask: Your card number?, secret: true}
  goals:
    pay: {title: pay, examples: [I want to pay], ask: [amount, card]}
"""


async def test_a_secret_slot_is_in_no_record_from_its_question_to_its_confirmation():
    call, flow = Told(), flow_of(PAYS)
    states = []
    moves: list[tuple[str, dict[str, Any]]] = [
        ("pay.amount", {}),
        ("pay.card", {"amount": 12.5}),
        ("pay.confirm", {"amount": 12.5, "card": "4111111111111111"}),
        ("anything_else", {"amount": 12.5, "card": "4111111111111111"}),
    ]
    for node, slots in moves:
        moved = call.moved(flow, node, **slots)
        states.append(call._telling.off_record.on)
        assert moved.slots.get("card") in (None, NOT_KEPT)
    assert states == [False, True, True, False]
    later = call.note(events.AgentSaying, text=f"I have charged {CARD}.", starts_ms=0, ends_ms=1)
    assert later.text == f"I have charged {NOT_KEPT}."
    assert [each.why for each in call.events if isinstance(each, events.RecordingChanged)] == ["card", "card"]


def test_a_secret_is_found_however_it_is_spelled_and_nothing_else_is():
    kept = OffRecord()
    kept.learn("4711")
    kept.learn("ab")

    def told(text: str) -> str:
        return kept.event(events.AgentSaying(t_ms=0, text=text, starts_ms=0, ends_ms=0)).text

    for spelled in ("4711", "47-11", "4 7 1 1", "4, 7, 1, 1", "four seven one one", "Vier sieben 1 eins"):
        assert told(f"It is {spelled}, thanks.") == f"It is {NOT_KEPT}, thanks."
    assert told("It is four seven one") == f"It is {NOT_KEPT}", "somebody interrupted"
    for innocent in ("47110", "14711", "47 12", "about ab"):
        assert told(innocent) == innocent


def test_a_number_that_was_said_in_words_is_known_again_in_digits():
    kept = OffRecord()
    kept.pause("card")
    said = events.TurnEnded(
        t_ms=0, text="It's four one one, 7 nine please", reason="typed", speech_end_ms=0, decided_ms=0
    )
    assert kept.event(said).text == NOT_KEPT
    kept.resume("card")
    called = events.ToolCalled(
        t_ms=0, id="1", name="charge", arguments={"card": "41179", "cards": [41179, 12], "paid": True}
    )
    assert kept.event(called).arguments == {"card": NOT_KEPT, "cards": [NOT_KEPT, 12], "paid": True}


def test_two_reasons_to_pause_are_two():
    kept = OffRecord()
    assert kept.pause("card")
    assert not kept.pause("asked")
    assert not kept.resume("card")
    assert kept.on
    assert kept.resume("asked")
    assert not kept.resume("asked")
