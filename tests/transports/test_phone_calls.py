"""Whole calls by telephone: Twilio's side of the stream, its network, and the engine behind it."""

from __future__ import annotations

import asyncio

import pytest

from tests.doubles.phone_call import PhoneCall
from tests.doubles.stubs import WORD_S, EchoBrain
from voicebot import events
from voicebot.brain import HangUp, Say
from voicebot.store import record as records
from voicebot.transports.dialect import LineLost

LONG_REPLY = "one two three four five six seven eight nine ten eleven twelve"


def test_a_call_by_telephone_from_greeting_to_hang_up(tmp_path):
    call = PhoneCall(["book an appointment"], ["Which day?"], record=tmp_path)

    async def one_turn(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await asyncio.sleep(0.5)
        await call.say("I would like to book an appointment.")
        await call.until(events.AgentSpeechStopped, 2)

    ended = call.play(one_turn)
    assert (ended.reason, ended.detail) == ("caller_hung_up", "")
    assert call.brain.memory == [("Hello there.", False), ("Which day?", False)]
    started = call.only(events.CallStarted)
    assert (started.transport, started.caller, started.rate_hz) == ("twilio", "+15550100", 8000)
    assert call.stream.spoken == pytest.approx(4 * WORD_S * 8000, abs=1)
    assert call.stream.closed is None or call.stream.closed.clean
    assert call.tasks_left == []
    assert call.leg.faults == 0
    assert call.call.folder
    last = (call.call.folder / records.EVENTS).read_bytes().splitlines()[-1]
    assert events.parse(last) == ended


def test_the_agent_has_finished_when_the_caller_has_heard_the_last_word_not_sooner():
    call = PhoneCall([], [], delay_s=0.3)
    heard_at_end = []

    async def listen(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStopped)
        heard_at_end.append(call.stream.spoken)

    call.play(listen)
    assert heard_at_end == [pytest.approx(2 * WORD_S * 8000, abs=1)]
    stopped = call.only(events.AgentSpeechStopped)
    assert stopped.t_ms == pytest.approx(2 * WORD_S * 1000 + 600, abs=150)


@pytest.mark.parametrize("delay_s", [0.0, 0.3])
def test_a_barge_in_clears_what_twilio_holds_and_counts_what_the_caller_heard(delay_s: float):
    call = PhoneCall(["wait a minute"], ["All right."], greeting=LONG_REPLY, delay_s=delay_s)
    heard = []

    async def interrupt(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStarted)
        await asyncio.sleep(1.6 + delay_s)  # so much of the greeting has the caller heard then
        heard.append(call.stream.spoken / 8000 / WORD_S)
        await call.say("Wait a minute, please.")
        await call.until(events.AgentSpeechStopped, 2)

    call.play(interrupt)
    barged = call.only(events.BargeIn)
    assert call.stream.cleared >= 1
    assert len(barged.heard.split()) == pytest.approx(heard[0], abs=1.5)
    assert LONG_REPLY.startswith(barged.heard)
    said_since = call.stream.spoken / 8000 / WORD_S - heard[0]
    assert said_since < 2 + (0.3 + 2 * delay_s) / WORD_S + 1  # "All right.", and what was on its way


def test_a_goodbye_is_heard_to_its_end_before_we_hang_up():
    class Leaves(EchoBrain):
        async def greet(self):
            yield Say("Goodbye and take care.")
            yield HangUp("done")

    call = PhoneCall([], [], brain=Leaves(), delay_s=0.2)

    async def wait(call: PhoneCall) -> None:
        await asyncio.sleep(60)

    ended = call.play(wait)
    assert ended.reason == "agent_hung_up"
    assert call.stream.spoken == pytest.approx(4 * WORD_S * 8000, abs=1)
    assert call.stream.closed
    assert call.stream.closed.clean
    assert call.tasks_left == []


def test_a_network_that_answers_no_marks_does_not_hold_the_call_up():
    call = PhoneCall(["hello"], ["Which day?"])

    async def one_turn(call: PhoneCall) -> None:
        call.stream.answers_marks = False
        await call.until(events.AgentSpeechStopped)
        await call.say("I would like to book an appointment.")
        await call.until(events.AgentSpeechStopped, 2)

    assert call.play(one_turn).reason == "caller_hung_up"
    assert call.brain.memory == [("Hello there.", False), ("Which day?", False)]


def test_a_socket_cut_in_mid_sentence_ends_the_call_with_its_reason_and_a_whole_record(tmp_path):
    call = PhoneCall(["never heard"], [], greeting=LONG_REPLY, record=tmp_path)

    async def be_cut_off(call: PhoneCall) -> None:
        await call.until(events.AgentSpeechStarted)
        asyncio.get_running_loop().call_later(1, call.socket.cut)
        await call.say("I would like to book an appointment.")
        await asyncio.sleep(60)

    ended = call.play(be_cut_off)
    assert (ended.reason, ended.detail) == ("failed", "LineLost: the line was cut (1006)")
    assert isinstance(call.error, LineLost)
    assert call.tasks_left == []
    assert call.call.folder
    lines = (call.call.folder / records.EVENTS).read_bytes().splitlines()
    assert isinstance(events.parse(lines[-1]), events.CallEnded)
    assert (call.call.folder / records.AUDIO).stat().st_size > 2 * 2 * 8000
