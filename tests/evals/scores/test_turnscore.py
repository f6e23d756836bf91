"""The turn score against the tables of EVA-bench's documentation, and its rules of combination."""

from __future__ import annotations

import pytest

from voicebot.evals.scores.turnscore import (
    TurnFacts,
    count_score,
    latency_score,
    overlap_score,
    turn_score,
    yield_score,
)


@pytest.mark.parametrize(
    ("latency_ms", "plain", "with_tool"),
    [
        (-600, 0.0, 0.0),
        (-500, 0.0, 0.0),
        (0, 0.5, 0.5),  # (0 + 500) / 1000
        (200, 0.7, 0.7),
        (500, 1.0, 1.0),
        (2000, 1.0, 1.0),
        (2750, 0.5, 1.0),  # (3500 - 2750) / 1500
        (3000, 1 / 3, 1.0),
        (3500, 0.0, 0.75),  # (5000 - 3500) / 2000
        (4000, 0.0, 0.5),
        (5000, 0.0, 0.0),
        (9000, 0.0, 0.0),
    ],
)
def test_latency_curve(latency_ms: float, plain: float, with_tool: float):
    assert latency_score(latency_ms) == pytest.approx(plain)
    assert latency_score(latency_ms, tool=True) == pytest.approx(with_tool)


def test_curves_of_interruptions():
    assert [overlap_score(ms) for ms in (0, 500, 1000, 2000, 3000)] == [0.5, 0.375, 0.25, 0, 0]
    assert [count_score(n) for n in (1, 2, 3, 4)] == [0.5, 0.25, 0, 0]
    assert [yield_score(ms) for ms in (-10, 0, 600, 1000, 2000, 3000)] == pytest.approx([1, 1, 0.7, 0.5, 0, 0])


def test_an_agent_that_interrupts_gets_half_at_best():
    perfect = TurnFacts(latency_ms=800, interruptions=1, overlap_ms=0)
    assert turn_score(perfect) == 0.5
    assert turn_score(TurnFacts(latency_ms=800, interruptions=2, overlap_ms=200)) == 0.25  # 0.45, 0.25, 1
    assert turn_score(TurnFacts(latency_ms=3350, interruptions=1, overlap_ms=0)) == pytest.approx(0.1)  # 150/1500


def test_an_interrupted_agent_is_judged_by_how_fast_it_yields():
    assert turn_score(TurnFacts(latency_ms=9000, yield_ms=600)) == pytest.approx(0.7)
    assert turn_score(TurnFacts(latency_ms=800, yield_ms=100, interruptions=1, overlap_ms=1000)) == 0.25  # the lowest


def test_a_turn_that_nobody_answers_scores_nothing():
    assert turn_score(TurnFacts(latency_ms=None)) == 0
