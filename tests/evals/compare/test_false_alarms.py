"""A stack with chance in it: runs of the same agent must not be told apart, and real changes must be found."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from voicebot.evals.case import Case
from voicebot.evals.compare import Settings, compare
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.result import Finding, Result

SETTINGS = Settings(draws=1000)


def run(rng: np.random.Generator, calls: int, later_ms: float = 0.0, failing: float = 0.15) -> list[Result]:
    """Calls whose every figure is drawn at random, as an agent with a language model makes them."""
    return [one(rng, seed, later_ms, failing) for seed in range(calls)]


def one(rng: np.random.Generator, seed: int, later_ms: float, failing: float) -> Result:
    def rate(n: int, share: float) -> Rate:
        return Rate(hits=int(rng.binomial(n, share)), n=n)

    times = [float(time) + later_ms for time in 400 * np.exp(rng.normal(0, 0.3, 6))]
    failed = bool(rng.random() < failing)
    return Result(
        case=Case(scenario=f"s{seed % 15}", persona="p", seed=seed, agent="ava"),
        verdict="failed" if failed else "passed",
        findings=[Finding(check="expect data/orders.json", ok=not failed, stage="tools", says="found none")],
        measures=Measures(
            v2v_ms=times,
            stages_ms={"brain": [time - 200 for time in times]},
            greeting_ms=[float(rng.normal(50, 20))],
            responses=rate(6, 0.95),
            yields=rate(int(rng.integers(0, 3)), 0.85),
            false_interruptions=rate(2, 0.2),
            agent_interruptions=rate(6, 0.05),
            words=60,
            substituted=int(rng.poisson(4)),
            entities=rate(5, 0.9),
            tools_done=rate(3, 0.97),
            confusions=int(rng.poisson(0.2)),
            call_s=float(rng.normal(60, 10)),
        ),
    )


def verdicts(runs: int, calls: int, later_ms: float = 0.0, failing: float = 0.15) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        a, b = run(rng, calls), run(rng, calls, later_ms, failing)
        found[compare(a, b, settings=SETTINGS).verdict] += 1
    return found


@pytest.mark.parametrize("calls", [8, 30])
def test_runs_of_the_same_agent_do_not_regress(calls: int):
    assert verdicts(20, calls)["regressed"] == 0


def test_answers_that_come_300_ms_later_are_always_found():
    assert verdicts(6, 20, later_ms=300)["regressed"] == 6


def test_half_of_the_calls_failing_is_always_found():
    assert verdicts(6, 40, failing=0.6)["regressed"] == 6
