"""Checks of figures: both verdicts, and none of them passes without evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.evidence import evidence, found, one
from tests.doubles.recorded_call import RecordedCall
from voicebot.evals.checks import Evidence
from voicebot.evals.measures import Measures, Rate
from voicebot.events import GuardrailHit, HandedOver
from voicebot.personas.truth import Sound

COUGH = Sound(kind="cough", starts_ms=100, ends_ms=200)
CUT_IN = Sound(kind="speech", starts_ms=4000, ends_ms=5000, text="no", interrupts=True)
MEASURED = Measures(
    v2v_ms=[400.0, 600.0, 800.0],
    engine_ms=[20.0, 30.0],
    greeting_ms=[15.0],
    stages_ms={"brain": [5.0, 100.0]},
    responses=Rate(hits=9, n=10),
    yields=Rate(hits=1, n=2),
    yield_ms=[300.0, 500.0],
    false_interruptions=Rate(hits=1, n=4),
    agent_interruptions=Rate(hits=1, n=10),
    overlap_ms=1500.0,
    words=100,
    substituted=5,
    deleted=3,
    inserted=2,
    entities=Rate(hits=4, n=5),
    negation_flips=1,
    dropouts=1,
    clipped=0,
    loops=2,
    cut_offs=0,
    cost_usd=0.02,
)


@pytest.fixture
def call(tmp_path: Path) -> Evidence:
    made = RecordedCall().greets("Hello?").turn("a cleaning", "Which day?").turn("tuesday", "Good.").ended()
    lost = ["not understood", "asked again: asks day", "silence"]
    return evidence(tmp_path, made, measures=MEASURED, sounds=[COUGH, CUT_IN], confusions=lost)


GOOD: list[dict[str, Any]] = [
    {"latency": {"v2v_p50": "600ms"}},
    {"latency": {"v2v_p95": "780ms"}},
    {"latency": {"v2v_max": "800ms"}},
    {"latency": {"greeting": "15ms"}},
    {"latency": {"engine_p95": "30ms"}},
    {"latency": {"stages": {"brain": "96ms"}}},
    {"turns": {"response_rate": 0.9}},
    {"turns": {"yield_rate": 0.5}},
    {"turns": {"yield_time": "400ms"}},
    {"turns": {"false_interruptions": 0.25}},
    {"turns": {"agent_interruptions": 0.1}},
    {"turns": {"overlap": "1500ms"}},
    {"hearing": {"wer": 0.1}},
    {"hearing": {"entities": 0.8}},
    {"hearing": {"negation_flips": 1}},
    {"confusions": 3},
    {"length": {"turns": 2}},
    {"length": {"time": "60s"}},
    {"cost_usd": 0.02},
    {"ended": "agent_hung_up"},
    {"handed_over": False},
    {"guardrails": "none"},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"latency": {"v2v_p50": "599ms"}}, "latency"),
    ({"latency": {"v2v_p95": "779ms"}}, "latency"),
    ({"latency": {"v2v_max": "0.7s"}}, "latency"),
    ({"latency": {"greeting": "14ms"}}, "latency"),
    ({"latency": {"engine_p95": "29ms"}}, "latency"),
    ({"latency": {"stages": {"brain": "95ms"}}}, "latency"),
    ({"turns": {"response_rate": 0.91}}, "turns"),
    ({"turns": {"yield_rate": 0.51}}, "turns"),
    ({"turns": {"yield_time": "399ms"}}, "turns"),
    ({"turns": {"false_interruptions": 0.24}}, "turns"),
    ({"turns": {"agent_interruptions": 0.09}}, "turns"),
    ({"turns": {"overlap": "1400ms"}}, "turns"),
    ({"hearing": {"wer": 0.099}}, "ear"),
    ({"hearing": {"entities": 0.81}}, "ear"),
    ({"hearing": {"negation_flips": 0}}, "ear"),
    ({"confusions": 0}, "ear"),
    ({"confusions": 1}, "brain"),
    ({"confusions": 2}, "turns"),
    ({"length": {"turns": 1}}, "call"),
    ({"length": {"time": "1s"}}, "call"),
    ({"cost_usd": 0.019}, "call"),
    ({"ended": ["caller_hung_up", "handed_over"]}, "call"),
    ({"handed_over": True}, "brain"),
    ({"handed_over": "reception"}, "brain"),
    ({"guardrails": [{"rail": "pii"}]}, "guardrails"),
]


@pytest.mark.parametrize("checks", GOOD, ids=str)
def test_within_the_limit_passes(checks: dict[str, Any], call: Evidence) -> None:
    finding = one(checks, call)
    assert finding.ok, finding.says


@pytest.mark.parametrize(("checks", "stage"), BAD, ids=str)
def test_over_the_limit_fails_and_names_the_stage(checks: dict[str, Any], stage: str, call: Evidence) -> None:
    finding = one(checks, call)
    assert not finding.ok
    assert finding.stage == stage


@pytest.mark.parametrize("checks", [*GOOD, {"audio": {}}], ids=str)
def test_missing_evidence_fails(checks: dict[str, Any], tmp_path: Path) -> None:
    """No record, nothing measured: nothing has been shown."""
    assert not any(finding.ok for finding in found(checks, evidence(tmp_path, None)))


def test_audio_health_counts_each_fault_by_itself(call: Evidence) -> None:
    verdicts = {finding.check: finding.ok for finding in found({"audio": {"dropouts": 1}}, call)}
    assert verdicts == {"audio.dropouts": True, "audio.clipped": True, "audio.loops": False, "audio.cut_offs": True}


def test_audio_health_needs_the_recording(tmp_path: Path) -> None:
    typed = evidence(tmp_path, RecordedCall().greets("Hello?").ended(), audio=False)
    assert {finding.says for finding in found({"audio": {}}, typed)} == {"there is no recording to look at"}


def test_no_cough_is_no_false_interruption_but_no_interruption_shows_no_yielding(tmp_path: Path) -> None:
    made = RecordedCall().greets("Hello?").ended()
    call = evidence(tmp_path, made, sounds=[Sound(kind="speech", starts_ms=0, ends_ms=9, text="hi")])
    assert one({"turns": {"false_interruptions": 0}}, call).ok
    assert not one({"turns": {"yield_rate": 0}}, call).ok


def test_a_slow_turn_is_pointed_at(call: Evidence) -> None:
    slow = one({"latency": {"v2v_max": "1ms"}}, call)
    ends = [event.speech_end_ms for event in call.events if event.type == "turn_ended"]
    assert slow.at_ms in ends
    assert slow.says == "800 ms, over the budget of 1 ms (n 3)"


def test_an_interruption_that_was_not_heard_is_pointed_at(call: Evidence) -> None:
    assert one({"turns": {"yield_rate": 1}}, call).at_ms == CUT_IN.starts_ms


def test_handed_over_knows_to_whom(tmp_path: Path) -> None:
    made = RecordedCall().greets("Hello?").ended("handed_over")
    made.events.insert(-1, HandedOver(t_ms=50, to="reception", reason="asked"))
    call = evidence(tmp_path, made, handed_over="reception")
    assert one({"handed_over": True}, call).ok
    assert one({"handed_over": "Reception"}, call).ok
    refused = one({"handed_over": False}, call)
    assert (refused.ok, refused.at_ms) == (False, 50)


@pytest.mark.parametrize(
    ("wanted", "ok"),
    [
        ([{"rail": "injection"}], True),
        ([{"rail": "injection", "side": "caller", "action": "block", "times": 1}], True),
        ([{"rail": "injection", "times": 2}], False),
        ([{"rail": "injection", "side": "agent"}], False),
        ([{"rail": "pii"}], False),
        ([{"rail": "pii", "times": 0}], True),
        ("none", False),
    ],
)
def test_guardrail_hits(wanted: object, ok: bool, tmp_path: Path) -> None:
    made = RecordedCall().greets("Hello?").ended()
    made.events.insert(-1, GuardrailHit(t_ms=70, rail="injection", kind="override", side="caller", action="block"))
    finding = one({"guardrails": wanted}, evidence(tmp_path, made))
    assert finding.ok is ok
    assert finding.stage == "guardrails"
