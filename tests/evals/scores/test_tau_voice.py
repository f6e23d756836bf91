"""Our definitions against public reference runs: three calls of tau-voice and what its own analysis makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicebot.evals.measures import Rate
from voicebot.evals.scores.spans import Span, at
from voicebot.evals.scores.turntaking import (
    FALSE_STOP_WINDOW_MS,
    agent_interruptions,
    answers,
    false_interruptions,
    response_rate,
    yields,
)

REFERENCE = json.loads(Path(__file__).with_name("tau_voice_calls.json").read_text())
EXPECTED = REFERENCE["expected"]
CALLS = [
    (
        [Span(*span) for span in call["agent"]],
        [(kind, Span(start, end)) for kind, start, end in call["user"]],
        [(kind, Span(start, end)) for kind, start, end in call["effects"]],
    )
    for call in REFERENCE["calls"]
]


def test_responses_are_tau_voices():
    found = [answer for agent, user, _ in CALLS for answer in answers(_turns(user), agent)]
    rate = response_rate(found)
    delays_ms = [answer.delay_ms for answer in found if answer.delay_ms is not None]
    assert rate == Rate(hits=34, n=EXPECTED["counts"]["response_total"])
    assert rate.value == pytest.approx(EXPECTED["response_rate"])
    assert sum(delays_ms) / len(delays_ms) / 1000 == pytest.approx(EXPECTED["response_latency_mean"])


def test_yields_are_tau_voices():
    found = [yields([span for kind, span in user if kind == "speech"], agent) for agent, user, _ in CALLS]
    times_ms = [time for each in found for time in each.times_ms]
    rate = sum((each.rate for each in found), Rate())
    assert rate == Rate(hits=23, n=EXPECTED["counts"]["yield_total"])
    assert sum(times_ms) / len(times_ms) / 1000 == pytest.approx(EXPECTED["yield_latency_mean"])


def test_agent_interruptions_are_tau_voices():
    rate = Rate()
    for agent, user, _ in CALLS:
        rate += agent_interruptions(agent, [span for _, span in user], len(answers(_turns(user), agent)))
    assert rate.hits == EXPECTED["counts"]["agent_interrupts_count"]
    assert rate.value == pytest.approx(EXPECTED["agent_interruption_rate"])


@pytest.mark.parametrize(
    ("kind", "name"), [("backchannel", "backchannel"), ("tic", "vocal_tic"), ("side", "non_directed")]
)
def test_selectivity_is_tau_voices(kind: str, name: str):
    """tau-voice leaves out sounds beside the caller's speech through which the agent talked on; we count them, and so
    they are left out here, too."""
    rate = Rate()
    for agent, user, effects in CALLS:
        beside = [sound for sound in effects if not _talked_through(sound[1], agent)]
        rate += false_interruptions([span for its, span in [*user, *beside] if its == kind], agent)
    assert rate.n == EXPECTED["counts"][f"{name}_total"]
    assert rate.value is not None
    assert 1 - rate.value == pytest.approx(EXPECTED[f"selectivity_{name}"])


def _turns(user: list[tuple[str, Span]]) -> list[Span]:
    return [span for kind, span in user if kind != "backchannel"]


def _talked_through(sound: Span, agent: list[Span]) -> bool:
    spoken = at(agent, sound.starts_ms)
    return spoken is not None and spoken.ends_ms - sound.starts_ms > FALSE_STOP_WINDOW_MS
