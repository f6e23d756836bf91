from __future__ import annotations

import json
import random
from collections.abc import Iterable

import pytest

from tests.doubles.recorded_call import RecordedCall, Took, booking
from voicebot.events import (
    AgentSpeechStopped,
    BrainPrepared,
    CallerSpeechStarted,
    CallerSpeechStopped,
    Event,
    GuardrailHit,
    HandedOver,
    ProviderFailed,
    ToolCalled,
    ToolReturned,
    TurnEnded,
)
from voicebot.latency import STAGES, waterfalls
from voicebot.observe import Span, Spans, span_id, spans, trace_id


def by_key(found: Iterable[Span]) -> dict[str, Span]:
    """Every key is there once."""
    found = list(found)
    keyed = {span.key: span for span in found}
    assert len(keyed) == len(found)
    return keyed


def of_turn(found: Iterable[Span], turn: int, name: str) -> Span:
    (span,) = (span for span in found if span.parent == f"turn {turn}" and span.name == name)
    return span


def test_a_call_holds_turns_and_a_turn_its_stages() -> None:
    found = spans(booking().events)
    keyed = by_key(found)
    assert found[0].key == "call"
    assert [span.key for span in found if span.parent == "call"] == [f"turn {n}" for n in range(5)]
    assert {span.parent for span in found} - set(keyed) == {""}
    for span in found[1:]:
        above = keyed[span.parent]
        assert above.start_ms <= span.start_ms <= span.end_ms <= above.end_ms, span.key


def test_stages_are_the_waterfalls_to_the_nanosecond() -> None:
    call = RecordedCall().greets("Hello?")
    call.turn("one two", "Three.", took=Took(silence=201.25, turn=33.125, brain=400.5, voice=71.0625))
    call.turn("four", "Five.", reason="typed").turn("six", "Seven.", filler="One moment.").ended()
    found = spans(call.events)
    for fall in waterfalls(call.events):
        drawn = [span for span in found if span.parent == f"turn {fall.turn}" and "voicebot.stage" in span.attributes]
        assert [(span.name, span.start_ms, span.end_ms) for span in drawn] == [
            (stage.name, fall.speech_end_ms + stage.start_ms, fall.speech_end_ms + stage.start_ms + stage.duration_ms)
            for stage in fall.stages
        ]
        assert sum(span.duration_ms for span in drawn) == pytest.approx(fall.v2v_ms, abs=1e-6)
    assert {span.name for span in found if "voicebot.stage" in span.attributes} == set(STAGES)


def test_the_lag_of_a_call_that_skips_waiting_is_in_its_spans() -> None:
    call = RecordedCall().greets("Hello?").turn("one two", "Three.").ended()
    late = [event.model_copy(update={"lag_ms": 70.0}) for event in call.events]
    (fall,) = waterfalls(late)
    stages = [span for span in spans(late) if "voicebot.stage" in span.attributes]
    assert sum(span.duration_ms for span in stages) == pytest.approx(fall.v2v_ms) == pytest.approx(364 + 70)


def test_a_turn_that_cuts_a_reply_short_links_to_the_turn_of_that_reply() -> None:
    found = by_key(spans(booking().events))
    assert {key: span.link for key, span in found.items() if span.link} == {"turn 3": "turn 2"}
    assert found["turn 2"].attributes["voicebot.interrupted"] is True
    assert "voicebot.interrupted" not in found["turn 3"].attributes


def test_a_live_call_gives_the_same_spans_as_its_record() -> None:
    events = booking().events
    making = Spans()
    live = [span for event in events for span in making.take(event)]
    assert list(making.rest()) == []
    assert live[-1].key == "call"
    assert by_key(live) == by_key(spans(events))


def test_a_turn_is_complete_when_the_caller_has_ended_the_next_one() -> None:
    making = Spans()
    at: dict[str, int] = {}
    for event in booking().events:
        for span in making.take(event):
            at.setdefault(span.key, event.turn)
    assert [at[f"turn {n}"] for n in range(5)] == [1, 2, 3, 4, 4]


def test_a_record_that_breaks_off_is_a_trace_that_says_so() -> None:
    events = booking().events[:-8]
    found = by_key(spans(events))
    assert found["call"].error == "cut_off"
    assert set(found["call"].attributes) >= {"gen_ai.conversation.id", "voicebot.turns"}
    assert "turn 4" in found
    assert spans([]) == spans(events[1:]) == []


@pytest.mark.parametrize(("reason", "error"), [("failed", "failed"), ("agent_hung_up", ""), ("caller_hung_up", "")])
def test_a_call_that_failed_is_an_error_and_one_that_was_ended_is_not(reason: str, error: str) -> None:
    call = RecordedCall().greets("Hello?").ended(reason)  # type: ignore[arg-type]  # one of the parameters
    assert spans(call.events)[0].error == error


def test_a_tool_is_a_span_below_the_turn_that_called_it() -> None:
    found = spans(booking().events)
    tool = of_turn(found, 2, "execute_tool find_slot")
    assert tool.duration_ms == pytest.approx(3.5)
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"
    assert tool.error == ""


def with_tool(*later: Event, ok: bool = True) -> list[Event]:
    call = RecordedCall().greets("Hello?").turn("one", "Two.")
    before, call.events = call.events, []
    call.turn("three", "Four.").ended()
    at = {"t_ms": 3000.0, "turn": 1, "id": "a", "name": "look"}
    return [*before, ToolCalled(**at, arguments={}), *call.events[:4], *later, *call.events[4:]]


def test_a_tool_that_runs_in_the_background_belongs_to_the_turn_that_began_it() -> None:
    returned = ToolReturned(t_ms=9000.0, turn=2, id="a", name="look", ok=False, duration_ms=6000.0, attempts=3)
    found = spans(with_tool(returned))
    tool = of_turn(found, 1, "execute_tool look")
    assert (tool.start_ms, tool.end_ms, tool.error) == (3000.0, 9000.0, "tool_error")
    assert tool.attributes["voicebot.attempts"] == 3
    assert by_key(found)["turn 1"].end_ms < 9000.0


def test_a_tool_without_a_result_says_so() -> None:
    assert of_turn(spans(with_tool()), 1, "execute_tool look").error == "no_result"


def test_two_tool_calls_of_one_id_are_two_spans() -> None:
    at = {"id": "a", "name": "look"}
    again: list[Event] = [
        ToolReturned(t_ms=3100.0, turn=1, **at, ok=True, duration_ms=100.0),
        ToolCalled(t_ms=6000.0, turn=2, **at, arguments={}),
        ToolReturned(t_ms=6050.0, turn=2, **at, ok=True, duration_ms=50.0),
    ]
    tools = [span for span in spans(with_tool(*again)) if span.name == "execute_tool look"]
    assert [(span.parent, round(span.duration_ms)) for span in tools] == [("turn 1", 100), ("turn 2", 50)]
    assert len({span.key for span in tools}) == 2


def test_an_answer_of_a_model_is_named_and_counted_as_the_conventions_say() -> None:
    call = RecordedCall().greets("Hello?").turn("when", "At eight.", used=(1240, 1000, 35, 0.0006)).ended()
    chat = of_turn(spans(call.events), 1, "chat gpt-4.1-mini")
    assert chat.kind == "client"
    assert chat.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.conversation.id": call.call_id,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.usage.input_tokens": 1240,
        "gen_ai.usage.output_tokens": 35,
        "gen_ai.usage.cache_read.input_tokens": 1000,
        "voicebot.usage.estimated": False,
        "voicebot.cost_usd": 0.0006,
    }
    brain = of_turn(spans(call.events), 1, "brain")
    assert chat.start_ms == brain.start_ms


def failing(text: str | None) -> list[Event]:
    call = RecordedCall().greets("Hello?").turn("one", text).ended()
    error = "APITimeoutError: no answer to 'my card is 4111 1111 1111 1111'"
    at = {"t_ms": call.now_ms - 300, "turn": 1}
    failed = ProviderFailed(**at, kind="llm", provider="openai/gpt", error=error, remedy="next: openai/other")
    hit = GuardrailHit(**at, rail="pii", kind="card", side="caller", action="redact")
    return [*call.events[:-1], failed, hit, call.events[-1]]


def test_a_failure_of_a_provider_is_told_and_an_error_only_where_nobody_answered() -> None:
    answered, silent = (by_key(spans(failing(text)))["turn 1"] for text in ("Two.", None))
    assert (answered.error, silent.error) == ("", "APITimeoutError")
    (failed, hit) = silent.moments
    assert (failed.name, failed.attributes["error.type"]) == ("provider_failed", "APITimeoutError")
    assert hit.attributes["voicebot.rail"] == "pii"
    assert "4111" not in repr(silent)


def test_another_agent_answers_the_turns_behind_a_handover() -> None:
    call = RecordedCall().greets("Hello?").turn("one", "Two.")
    call.events.append(HandedOver(t_ms=call.now_ms, turn=1, to="Billing", reason="bill", agent="billing.yaml"))
    call.turn("three", "Four.").ended()
    found = by_key(spans(call.events))
    assert [found[f"turn {n}"].name for n in (1, 2)] == ["invoke_agent Bright Smile Dental", "invoke_agent Billing"]


def test_pauses_of_the_caller_are_between_their_stretches_of_speech() -> None:
    call = RecordedCall().greets("Hello?").turn("one", "Two.").ended()
    at = next(i for i, event in enumerate(call.events) if isinstance(event, CallerSpeechStarted))
    call.events[at:at] = [
        CallerSpeechStarted(t_ms=500.0, turn=1, speech_start_ms=400.0),
        CallerSpeechStopped(t_ms=900.0, turn=1, speech_end_ms=700.0),
    ]
    speaking = [span for span in spans(call.events) if span.name == "caller_speaking"]
    assert [span.duration_ms for span in speaking] == [300.0, 320.0]


def test_nothing_of_what_was_said_is_in_a_span_unless_it_is_asked_for() -> None:
    call = booking(caller="+15550100", agent="Ava")
    silent = repr(spans(call.events))
    words = {word for event in call.events for word in getattr(event, "text", "").split() if len(word) > 4}
    assert words
    assert not {word for word in words if word in silent}
    assert "Lopez" not in silent
    assert "+15550100" not in silent
    told = by_key(spans(call.events, said=True))
    messages = json.loads(str(told["turn 4"].attributes["gen_ai.input.messages"]))
    assert messages == [{"role": "user", "parts": [{"type": "text", "content": "nina lopez"}]}]
    heard = json.loads(str(told["turn 2"].attributes["gen_ai.output.messages"]))
    assert heard[0]["parts"][0]["content"] == "On Tuesday I have nine thirty,"
    book = of_turn(told.values(), 4, "execute_tool book")
    assert json.loads(str(book.attributes["gen_ai.tool.call.arguments"]))["name"] == "Nina Lopez"
    assert told["call"].attributes["voicebot.caller"] == "+15550100"


def test_ids_are_the_same_each_time_and_differ_between_calls() -> None:
    assert trace_id("a") == trace_id("a") != trace_id("b")
    assert (len(trace_id("a")), len(span_id("a", "call"))) == (32, 16)
    assert span_id("a", "call") != span_id("a", "turn 1") != span_id("b", "turn 1")


def test_a_turn_stays_whole_when_the_agent_speaks_up_again_in_it() -> None:
    call = RecordedCall().greets("Hello?").turn("one", "Two.")
    call.now_ms += 8000
    call._speaks("Are you still there?")
    call.ended()
    found = spans(call.events)
    speaking = [span for span in found if span.name == "agent_speaking" and span.parent == "turn 1"]
    assert len(speaking) == 2
    stopped = [event for event in call.events if isinstance(event, AgentSpeechStopped)]
    assert by_key(found)["turn 1"].end_ms == stopped[-1].t_ms


def test_guard_and_retrieval_lie_before_the_model() -> None:
    call = RecordedCall().greets("Hello?").turn("one", "Two.", took=Took(brain=90.0), used=(10, 0, 1, None)).ended()
    at = next(i for i, event in enumerate(call.events) if isinstance(event, TurnEnded)) + 1
    ended_ms = call.events[at - 1].t_ms
    call.events[at:at] = [
        BrainPrepared(t_ms=ended_ms + 5, turn=1, step="guard", duration_ms=5.0),
        BrainPrepared(t_ms=ended_ms + 25, turn=1, step="retrieve", duration_ms=20.0),
    ]
    found = spans(call.events)
    guard, retrieve, chat = (of_turn(found, 1, name) for name in ("guard", "retrieve", "chat gpt-4.1-mini"))
    assert (guard.start_ms, guard.end_ms) == (ended_ms, ended_ms + 5)
    assert (retrieve.start_ms, retrieve.end_ms) == (guard.end_ms, chat.start_ms)
    assert retrieve.attributes["gen_ai.operation.name"] == "retrieval"


def test_a_record_in_which_anything_is_missing_or_out_of_place_is_still_a_trace() -> None:
    whole = booking().turn("one", "Two.", used=(1, 0, 1, None), filler="One moment.", tool=("look", {}, 1)).events
    dice = random.Random(8)
    for _ in range(300):
        rest = [event for event in whole[1:] if dice.random() < 0.9]
        for _ in range(dice.randrange(6)):
            rest.insert(dice.randrange(len(rest)), rest.pop(dice.randrange(len(rest))))
        for span in by_key(spans([whole[0], *rest])).values():
            assert span.start_ms <= span.end_ms
