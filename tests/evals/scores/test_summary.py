"""Figures of many calls: sums over sums, percentiles over turns, invalid runs apart, and n with everything."""

from __future__ import annotations

import json

import pytest

from voicebot.evals.case import Case
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.result import Finding, Result, Verdict
from voicebot.evals.scores import Row, Summary, summarise


def result(
    scenario: str, seed: int, verdict: Verdict = "passed", figures: Measures | None = None, persona: str = "maria"
) -> Result:
    finding = Finding(check="said", ok=verdict == "passed", stage="brain", says="")
    return Result(
        case=Case(scenario=scenario, persona=persona, seed=seed, agent="ava"),
        verdict=verdict,
        findings=[finding],
        measures=figures or Measures(),
    )


def row(summary: Summary, metric: str) -> Row:
    return next(row for row in summary.rows if row.metric == metric)


def test_rates_are_pooled_and_means_are_not_taken_of_rates():
    few, many = Rate(hits=1, n=1), Rate(hits=1, n=4)
    summary = summarise([result("a", 0, figures=Measures(responses=rate)) for rate in (few, many)])
    answered = row(summary, "response rate")
    assert (answered.value, answered.n) == (2 / 5, 5)  # and not (1/1 + 1/4) / 2
    assert answered.few
    assert (answered.low, answered.high) == pytest.approx((0.1176, 0.7693), abs=1e-4)  # Wilson, 2 of 5


def test_percentiles_are_over_all_turns_of_all_calls():
    summary = summarise(
        [
            result("a", seed, figures=Measures(v2v_ms=times))
            for seed, times in enumerate(([100.0], [200.0, 300.0, 400.0]))
        ]
    )
    assert summary.latencies["v2v"].n == 4
    assert row(summary, "v2v p50").value == 250
    assert row(summary, "v2v p95").value == pytest.approx(385)
    assert row(summary, "v2v_outside p50").value is None


def test_wer_pooled_and_mean():
    short = Measures(words=1, substituted=1, utterance_wer=[1.0], negation_flips=1)
    long = Measures(words=9, deleted=1, inserted=1, utterance_wer=[2 / 9])
    summary = summarise([result("a", 0, figures=short), result("a", 1, figures=long)])
    assert row(summary, "WER pooled").value == pytest.approx(3 / 10)
    assert row(summary, "WER mean").value == pytest.approx((1 + 2 / 9) / 2)
    assert row(summary, "negation flips").value == 1 / 2


def test_invalid_runs_are_shown_and_counted_nowhere():
    good, broken = Measures(v2v_ms=[100.0], call_s=60), Measures(v2v_ms=[9000.0], call_s=60)
    summary = summarise(
        [result("a", 0, figures=good), result("a", 1, "invalid", broken), result("a", 2, "failed", good)]
    )
    assert (summary.calls, summary.invalid) == (2, 1)
    assert summary.passes.rate == Rate(hits=1, n=2)
    assert summary.latencies["v2v"].n == 2
    assert summary.seconds == 120
    assert [(group.name, group.passed, group.invalid) for group in summary.scenarios] == [("a", Rate(hits=1, n=2), 1)]
    assert summary.failed_checks == {"said": 1}


def test_pass_at_k_is_over_cells():
    verdicts: dict[str, list[Verdict]] = {"a": ["passed", "passed", "failed"], "b": ["passed", "failed", "failed"]}
    summary = summarise([result(name, seed, v) for name, its in verdicts.items() for seed, v in enumerate(its)])
    one, two, three = summary.passes.k
    # a: 1 - C(1,2)/C(3,2) = 1, C(2,2)/3 = 1/3; b: 1 - C(2,2)/3 = 2/3, C(1,2)/3 = 0
    assert (one.at, one.hat) == pytest.approx((0.5, 0.5))
    assert (two.at, two.hat, two.cells) == pytest.approx((5 / 6, 1 / 6, 2))
    assert (three.at, three.hat) == (1, 0)


def test_pass_rate_has_both_intervals():
    summary = summarise([result("a", seed, "failed" if seed < 2 else "passed") for seed in range(10)])
    assert (summary.passes.low, summary.passes.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert (summary.passes.exact_low, summary.passes.exact_high) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert not summary.passes.few


def test_selectivity_is_the_rest_of_false_interruptions():
    summary = summarise([result("a", 0, figures=Measures(false_interruptions=Rate(hits=1, n=4)))])
    assert row(summary, "false interruptions").value == 0.25
    assert row(summary, "selectivity").value == 0.75


def test_a_cost_that_is_not_wholly_known_is_unknown():
    known, unknown = Measures(cost_usd=0.01), Measures(cost_usd=None, unpriced=["deepgram"])
    assert summarise([result("a", 0, figures=known)] * 2).cost_usd == pytest.approx(0.02)
    summary = summarise([result("a", 0, figures=known), result("a", 1, figures=unknown)])
    assert (summary.cost_usd, summary.unpriced) == (None, ["deepgram"])


def test_nothing_at_all():
    summary = summarise([])
    assert summary.calls == 0
    assert all(each.n == 0 and each.few and each.value is None for each in summary.rows)
    assert json.loads(summary.model_dump_json())["passes"]["k"] == []
