from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.recorded_call import RecordedCall, Took, booking
from voicebot.events import (
    AgentSaying,
    AgentSpeechStarted,
    CallerSpeechStopped,
    Event,
    FirstAudio,
    FirstClause,
    FirstToken,
    TranscriptFinal,
    TurnEnded,
    parse,
)
from voicebot.latency import decided_ms, heard_ms, percentiles, real_ms, v2v_ms, waterfalls


def reply(
    *,
    stop: float,
    final: float,
    ended: float,
    token: float,
    clause: float,
    audio: float,
    heard: float,
    decided: float | None = None,
):
    """One turn whose speech ended at 1000 ms, with each mark where the test wants it."""
    events: list[Event] = [
        CallerSpeechStopped(t_ms=stop, turn=1, speech_end_ms=1000),
        TranscriptFinal(t_ms=final, turn=1, text="hello"),
        FirstToken(t_ms=token, turn=1),
        FirstClause(t_ms=clause, turn=1),
        TurnEnded(
            t_ms=ended,
            turn=1,
            text="hello",
            reason="smart_turn",
            speech_end_ms=1000,
            decided_ms=ended if decided is None else decided,
        ),
        FirstAudio(t_ms=audio, turn=1),
        AgentSpeechStarted(t_ms=heard, turn=1),
    ]
    return waterfalls(events)[0]


def test_each_stage_is_the_time_between_its_mark_and_the_one_before():
    took = Took(silence=200, stt=90, turn=25, brain=7, clause=3, voice=12, playback=20)
    fall = waterfalls(RecordedCall().turn("yes", "Good.", took=took).events)[0]

    assert [(stage.name, round(stage.duration_ms)) for stage in fall.stages] == [
        ("silence", 200),
        ("turn", 25),
        ("stt", 90),
        ("brain", 7),
        ("clause", 3),
        ("voice", 12),
        ("playback", 20),
    ]
    assert fall.v2v_ms == pytest.approx(took.v2v)


times = st.floats(min_value=900, max_value=4000)


@given(stop=times, final=times, ended=times, token=times, clause=times, audio=times, heard=times)
def test_parts_add_up_to_the_whole_whatever_the_order_of_the_marks(stop, final, ended, token, clause, audio, heard):
    fall = reply(stop=stop, final=final, ended=ended, token=token, clause=clause, audio=audio, heard=heard)
    assert fall.v2v_ms == pytest.approx(heard - 1000)
    if heard < 1000:
        assert fall.stages == ()
        return
    assert sum(stage.duration_ms for stage in fall.stages) == pytest.approx(heard - 1000)
    assert all(stage.duration_ms >= 0 for stage in fall.stages)
    assert sum(ms for _, ms in fall.rounded()) == round(heard - 1000)


def test_a_reply_prepared_before_the_turn_was_sure_costs_nothing():
    fall = reply(stop=1200, final=1250, ended=1300, token=1220, clause=1230, audio=1310, heard=1320)
    parts = {stage.name: stage.duration_ms for stage in fall.stages}
    assert parts["brain"] == parts["clause"] == 0
    assert parts["voice"] == 10


def test_a_turn_nobody_answered_has_no_latency():
    falls = waterfalls(RecordedCall().turn("hello?", None).turn("anybody there?", "Yes.").events)
    assert [fall.v2v_ms is None for fall in falls] == [True, False]
    assert falls[0].stages == ()
    assert len(v2v_ms(falls)) == 1


def test_the_greeting_is_no_answer():
    assert waterfalls(RecordedCall().greets("Hello?").events) == []


def test_an_answer_that_came_too_early_is_reported_as_negative_without_stages():
    fall = reply(stop=1200, final=1210, ended=900, token=910, clause=920, audio=930, heard=940)
    assert fall.v2v_ms == -60
    assert fall.stages == ()


def test_the_answer_is_measured_from_the_last_end_of_turn_before_it():
    events: list[Event] = [
        TurnEnded(t_ms=1300, turn=1, text="i would like", reason="silence", speech_end_ms=1000, decided_ms=1300),
        TurnEnded(
            t_ms=3300, turn=1, text="i would like a cleaning", reason="smart_turn", speech_end_ms=3000, decided_ms=3300
        ),
        AgentSpeechStarted(t_ms=3500, turn=1),
    ]
    (fall,) = waterfalls(events)
    assert (fall.text, fall.v2v_ms) == ("i would like a cleaning", 500)


def test_a_stage_without_a_mark_gives_its_time_to_the_next():
    (fall,) = waterfalls(
        [
            TurnEnded(t_ms=1300, turn=1, text="x", reason="smart_turn", speech_end_ms=1000, decided_ms=1300),
            FirstAudio(t_ms=1400, turn=1),
            AgentSpeechStarted(t_ms=1420, turn=1),
        ]
    )
    assert {stage.name: stage.duration_ms for stage in fall.stages} == {"turn": 300, "voice": 100, "playback": 20}


def test_waiting_by_the_silence_limit_is_configured_and_not_charged_to_the_engine():
    took = Took(silence=200, turn=700, playback=20)
    decided = waterfalls(RecordedCall().turn("yes", "Good.", took=took, reason="smart_turn").events)[0]
    waited = waterfalls(RecordedCall().turn("yes", "Good.", took=took, reason="silence").events)[0]
    assert decided.spent_ms("waiting") == pytest.approx(200)
    assert decided.spent_ms("engine") == waited.spent_ms("engine") == pytest.approx(20)
    assert waited.spent_ms("waiting") == pytest.approx(900)


def test_a_transcript_that_was_there_before_the_decision_costs_nothing():
    events: list[Event] = [
        CallerSpeechStopped(t_ms=1200, turn=1, speech_end_ms=1000),
        TranscriptFinal(t_ms=1210, turn=1, text="x"),
        TurnEnded(t_ms=1300, turn=1, text="x", reason="smart_turn", speech_end_ms=1000, decided_ms=1300),
        AgentSpeechStarted(t_ms=1310, turn=1),
    ]
    (fall,) = waterfalls(events)
    assert {stage.name: stage.duration_ms for stage in fall.stages} == {
        "silence": 200,
        "turn": 100,
        "stt": 0,
        "playback": 10,
    }


def test_tools_of_the_turn_are_noted():
    falls = waterfalls(booking().events)
    assert [[tool.name for tool in fall.tools] for fall in falls] == [[], ["find_slot"], [], ["book"]]


def test_percentiles_interpolate_linearly_and_carry_n():
    figures = percentiles([400, 100, 300, 200])
    assert figures is not None
    assert (figures.n, figures.p50, figures.worst) == (4, 250, 400)
    assert figures.p95 == pytest.approx(385)
    assert percentiles([]) is None
    one = percentiles([7])
    assert one is not None
    assert (one.n, one.p50, one.p95) == (1, 7, 7)


def test_what_computing_took_counts_although_the_conversation_stood_still():
    """On the skip-idle clock all of a reply happens at one time of the call; its lag says how long it took."""
    at: dict[str, Any] = {"t_ms": 1200, "turn": 1}
    events: list[Event] = [
        CallerSpeechStopped(**at, lag_ms=1, speech_end_ms=1000),
        TranscriptFinal(**at, lag_ms=45, text="x"),
        TurnEnded(**at, lag_ms=46, text="x", reason="text", speech_end_ms=1000, decided_ms=1200, decided_lag_ms=31),
        FirstToken(**at, lag_ms=50),
        FirstClause(**at, lag_ms=51),
        FirstAudio(**at, lag_ms=58),
        AgentSpeechStarted(**at, lag_ms=60),
    ]
    (fall,) = waterfalls(events)
    assert fall.v2v_ms == 260
    assert {stage.name: stage.duration_ms for stage in fall.stages} == {
        "silence": 201,
        "turn": 30,
        "stt": 14,
        "brain": 5,
        "clause": 1,
        "voice": 7,
        "playback": 2,
    }


@pytest.mark.parametrize(
    ("t_ms", "starts_ms", "lag_ms", "heard"),
    [
        (2000, 2000, 80, 2080),  # at once
        (2000, 2050, 80, 2080),  # behind 50 ms of other words, in which it would not have been ready
        (2000, 2500, 80, 2500),  # it was ready long before its turn came
        (2100, 2000, 80, 2080),  # it has begun to be heard while its end was being made
    ],
)
def test_a_clause_is_heard_when_it_is_made_and_its_turn_has_come(t_ms, starts_ms, lag_ms, heard):
    clause = AgentSaying(t_ms=t_ms, lag_ms=lag_ms, turn=1, text="x", starts_ms=starts_ms, ends_ms=starts_ms + 600)
    assert heard_ms(clause) == heard


def test_records_from_before_there_was_a_lag_have_none():
    old = b'{"v":1,"t_ms":5.0,"turn":1,"type":"turn_ended","text":"x","reason":"text","speech_end_ms":1,"decided_ms":2}'
    ended = parse(old)
    assert isinstance(ended, TurnEnded)
    assert (real_ms(ended), decided_ms(ended)) == (5, 2)
