"""A call's events, counted: every figure is one of the call's own, and nobody's words get into a label."""

from __future__ import annotations

import pytest

pytest.importorskip("prometheus_client", reason='not installed: pip install "voicebot[server]"')

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.doubles.recorded_call import RecordedCall, Took, booking
from voicebot import events
from voicebot.latency import waterfalls
from voicebot.money.prices import Prices, shipped
from voicebot.observe.metrics import CallFigures, Meters
from voicebot.observe.metrics.labels import MOST, OTHER

TABLE = Prices((shipped(),))
SECRET = "4111 1111 1111 1111"
"""A caller's words."""


def counted(*calls: RecordedCall, agent: str = "ava") -> Meters:
    meters = Meters()
    for call in calls:
        face = CallFigures(meters, agent, TABLE)
        for event in call.events:
            face(event)
    return meters


def figures(meters: Meters) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of the labels' names) -> value."""
    text = generate_latest(meters.registry).decode()
    families = list(text_string_to_metric_families(text))
    return {
        (sample.name.removeprefix("voicebot_"), *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_call_is_counted_turn_by_turn() -> None:
    found = figures(counted(booking(transport="websocket")))
    assert found["turns_total", "ava", "answered"] == 4
    assert found["barge_ins_total", "ava"] == 1
    assert found["false_interruptions_total", "ava"] == 1
    assert found["call_duration_seconds_count", "ava"] == 1
    assert found["tool_calls_total", "ok", "book"] == found["tool_calls_total", "ok", "find_slot"] == 1
    assert found["audio_gap_seconds_count",] == 0


def test_figures_are_there_before_they_count() -> None:
    """In a series that begins with 1 Prometheus sees nothing happen."""
    meters = Meters()
    CallFigures(meters, "ava", TABLE)(RecordedCall().events[0])
    found = figures(meters)
    assert found["turns_total", "ava", "answered"] == found["turns_total", "ava", "unanswered"] == 0
    assert found["v2v_seconds_count", "ava"] == found["call_duration_seconds_count", "ava"] == 0
    for name in ("barge_ins", "false_interruptions", "caller_silences"):
        assert found[f"{name}_total", "ava"] == 0


def test_there_is_a_share_of_failures_before_the_first_and_when_there_is_nothing_else() -> None:
    meters = counted(booking())
    meters.providers.tried("llm", "one/good", ok=True)
    meters.providers.tried("llm", "one/bad", ok=False)
    found = figures(meters)
    assert (found["tool_calls_total", "ok", "book"], found["tool_calls_total", "failed", "book"]) == (1, 0)
    tries = [
        found["provider_tries_total", "llm", outcome, f"one/{who}"]
        for who in ("good", "bad")
        for outcome in ("ok", "failed")
    ]
    assert tries == [1, 0, 0, 1]


def test_latencies_are_those_of_the_waterfall() -> None:
    call = booking()
    falls = waterfalls(call.events)
    found = figures(counted(call))
    assert found["v2v_seconds_count", "ava"] == len(falls)
    assert found["v2v_seconds_sum", "ava"] == pytest.approx(sum(fall.v2v_ms or 0 for fall in falls) / 1000)
    stages = sum(value for name, value in found.items() if name[0] == "stage_seconds_sum")
    assert stages == pytest.approx(found["v2v_seconds_sum", "ava"])
    assert found["stage_seconds_count", "silence", "turn"] == 1  # provider, stage: the limit decided once
    assert found["stage_seconds_count", "smart_turn", "turn"] == 3
    assert found["stage_seconds_count", "sphinx", "stt"] == 4


def test_a_stage_is_its_providers_who_did_the_work() -> None:
    call = RecordedCall(transport="twilio").greets("Hello?").turn("hi there", "Good day.", used=(500, 100, 20, 0.002))
    speech = events.SpeechUsed(t_ms=call.now_ms, turn=1, kind="tts", provider="elevenlabs/flash", cost_usd=0.01)
    call.events.append(speech)
    found = figures(counted(call.ended()))
    assert found["stage_seconds_count", "openai/gpt-4.1-mini", "brain"] == 1
    assert found["stage_seconds_count", "elevenlabs/flash", "voice"] == 1
    assert found["stage_seconds_count", "twilio", "playback"] == 1
    assert found["tokens_total", "input", "openai/gpt-4.1-mini"] == 500
    assert found["cost_usd_total", "llm", "openai/gpt-4.1-mini"] == pytest.approx(0.002)
    assert found["cost_usd_total", "tts", "elevenlabs/flash"] == pytest.approx(0.01)
    line = TABLE.line("twilio")
    assert line
    assert found["cost_usd_total", "telephony", "twilio"] == pytest.approx(line.cost_usd(call.now_ms / 1000))


def test_what_has_no_price_is_counted_and_is_not_free() -> None:
    call = RecordedCall().turn("hi", "Good day.", used=(500, 0, 20, None)).ended()
    found = figures(counted(call))
    assert found["unpriced_total", "llm", "openai/gpt-4.1-mini"] == 1
    assert ("cost_usd_total", "llm", "openai/gpt-4.1-mini") not in found


def test_a_turn_without_an_answer_is_one() -> None:
    found = figures(counted(RecordedCall().turn("hello?", None).turn("anybody?", "Yes.").ended()))
    assert (found["turns_total", "ava", "unanswered"], found["turns_total", "ava", "answered"]) == (1, 1)


def test_everything_that_goes_wrong_is_counted() -> None:
    call = RecordedCall()
    call.events += [
        events.ProviderFailed(t_ms=1, kind="tts", provider="elevenlabs/flash", error=SECRET),
        events.GuardrailHit(t_ms=2, rail="pii", kind="card", side="caller", action="redact"),
        events.BudgetReached(t_ms=3, of="call", spent_usd=1, budget_usd=1, over=True),
        events.AudioNotice(t_ms=4, kind="clipping", level=3),
        events.CallerSilent(t_ms=5, times=1),
        events.HandedOver(t_ms=6, to="+12125550100", reason=SECRET),
        events.ToolReturned(t_ms=7, id="1", name="book", ok=False, result=SECRET, duration_ms=20),
    ]
    found = figures(counted(call.ended()))
    assert found["provider_errors_total", "tts", "elevenlabs/flash"] == 1
    assert found["guardrail_hits_total", "redact", "pii", "caller"] == 1
    assert found["budgets_reached_total", "call", "yes"] == 1
    assert found["audio_notices_total", "clipping"] == found["caller_silences_total", "ava"] == 1
    assert found["handovers_total", "outside"] == found["tool_calls_total", "failed", OTHER] == 1


def test_no_word_of_a_caller_gets_into_a_label() -> None:
    call = RecordedCall(caller="+12125550123").greets(f"Hello {SECRET}")
    call.turn(f"my card is {SECRET}", f"I heard {SECRET}.", tool=("pay", {"card": SECRET}, SECRET))
    call.events.append(events.ToolReturned(t_ms=9, id="9", name=SECRET, ok=False, result="", duration_ms=1))
    call.events.append(events.ProviderFailed(t_ms=9, kind="llm", provider="a/b", error=SECRET, remedy=SECRET))
    text = generate_latest(counted(call.ended(detail=SECRET)).registry).decode()
    assert SECRET not in text
    assert "5550123" not in text
    assert 'tool="pay"' in text


def test_labels_do_not_run_away() -> None:
    meters = Meters()
    for number in range(3 * MOST):
        call = RecordedCall().turn("hi", "Good day.", used=(1, 0, 1, 0.0))
        call.events.append(events.ProviderFailed(t_ms=9, kind="llm", provider=f"one/{number}", error=""))
        face = CallFigures(meters, f"agent-{number}", TABLE)
        for event in call.ended().events:
            face(event)
    found = figures(meters)
    agents = {name[1] for name in found if name[0] == "turns_total"}
    assert len(agents) == MOST + 1
    assert found["turns_total", OTHER, "answered"] == 2 * MOST
    assert len({name[2] for name in found if name[0] == "provider_errors_total"}) <= MOST + 1


def saying(t_ms: float, starts_ms: float, length_ms: float = 1000.0, **how: bool) -> events.AgentSaying:
    return events.AgentSaying(t_ms=t_ms, text="words", starts_ms=starts_ms, ends_ms=starts_ms + length_ms, **how)


def gaps(*told: events.Event) -> float:
    call = RecordedCall()
    call.events += [events.AgentSpeechStarted(t_ms=100), *told]
    return figures(counted(call.ended()))["audio_gap_seconds_sum",]


def test_a_silence_between_two_clauses_is_a_gap() -> None:
    assert gaps(saying(150, 100), saying(1500, 1400)) == pytest.approx(0.3)


def test_a_clause_whose_sound_came_too_slowly_has_one_in_it() -> None:
    assert gaps(saying(1400, 400)) == pytest.approx(0.3)


def test_clauses_that_are_there_in_time_have_none_whatever_the_delay_of_the_line() -> None:
    assert gaps(saying(150, 120), saying(400, 1300), saying(900, 2350)) == 0


@pytest.mark.parametrize(
    "between",
    [
        events.ToolCalled(t_ms=160, id="1", name="look", arguments={}),
        events.AgentPaused(t_ms=160, speech_start_ms=100),
        saying(200, 1100, filler=True),
    ],
)
def test_a_silence_that_is_meant_is_none(between: events.Event) -> None:
    assert gaps(saying(150, 100), between, saying(3500, 3400)) == 0


def test_a_stage_of_a_provider_that_was_asked_early_costs_nothing() -> None:
    found = figures(counted(RecordedCall().turn("hi there", "Yes.", took=Took(brain=0)).ended()))
    assert found["stage_seconds_sum", "flow", "brain"] == 0
