"""Two runs compared: what regressed is found and named, and what did not is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import pytest

from voicebot.evals.case import Case
from voicebot.evals.compare import Settings, compare, noise_floor
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.result import Finding, Result, Stage, Verdict

STAGES = ("silence", "brain", "voice")


def figures(seed: int, **changed: object) -> Measures:
    """A call as the embedded stack makes it: the same again for the same seed."""
    base = {
        "v2v_ms": [300.0 + seed, 350.0, 320.0],
        "stages_ms": {"silence": [200.0] * 3, "brain": [50.0 + seed, 100.0, 70.0], "voice": [50.0] * 3},
        "responses": Rate(hits=3, n=3),
        "words": 30,
        "substituted": 1,
        "turns": 3,
        "tools": Rate(hits=2, n=2),
        "call_s": 40.0 + seed / 7,
    }
    return Measures.model_validate(base | changed)


def call(
    seed: int, failing: dict[str, Stage] | None = None, measures: Measures | None = None, verdict: Verdict | None = None
) -> Result:
    failing = failing or {}
    checks: dict[str, Stage] = {"expect data/appointments.json": "tools", "said": "brain", "latency.v2v_p95": "latency"}
    findings = [
        Finding(check=check, ok=check not in failing, stage=stage, says="expected 1 record with time 10:00, found none")
        for check, stage in (checks | failing).items()
    ]
    return Result(
        case=Case(scenario=f"s{seed % 5}", persona="maria", seed=seed, agent="ava"),
        verdict=verdict or ("failed" if failing else "passed"),
        findings=findings,
        measures=measures or figures(seed),
    )


def never(seed: int) -> None:
    """No check fails."""


def run(
    n: int = 20,
    failing: Callable[[int], dict[str, Stage] | None] = never,
    measures: Callable[[int], Measures] = figures,
) -> list[Result]:
    return [call(seed, failing(seed), measures(seed)) for seed in range(n)]


TOOLS: dict[str, Stage] = {"expect data/appointments.json": "tools"}


def first(count: int) -> Callable[[int], dict[str, Stage] | None]:
    return lambda seed: TOOLS if seed < count else None


def wandering(seed: int, run: int) -> Measures:
    """A call of a stack with chance in it: never the same twice."""
    return figures(seed, call_s=40.0 + seed / 7 + run * 0.37 + (seed * run) % 3)


# -- verdicts of calls -------------------------------------------------------------------------------------------------


def test_the_same_run_again_is_no_evidence():
    found = compare(run(), run())
    assert found.verdict == "no evidence"
    assert found.reasons == []
    assert found.identical == found.pairs == 20
    assert found.says == "no evidence: 0 broke, 0 were fixed, of 20 calls in both runs"


def test_calls_that_break_are_a_regression_with_its_stage_and_its_evidence():
    found = compare(run(), run(failing=first(8), measures=lambda seed: wandering(seed, 1)))
    assert found.verdict == "regressed"
    assert not found.repeatable
    (reason,) = found.reasons
    assert (reason.stage, reason.metric, reason.basis) == ("tools", "expect data/appointments.json", "statistics")
    assert reason.says == (
        "expect data/appointments.json fails in 8 of 20 calls that were right before "
        "(expected 1 record with time 10:00, found none). In all, 8 calls broke and 0 were fixed (McNemar p = 0.0078)"
    )
    assert reason.p == pytest.approx(2 / 2**8)
    assert len(reason.cases) == 8
    assert found.says.startswith("regressed: tools")


def test_too_few_for_chance_to_be_ruled_out_says_how_many_more_runs_it_takes():
    found = compare(run(), run(failing=first(3), measures=lambda seed: wandering(seed, 1)))
    assert found.verdict == "no evidence"
    assert found.flips.p == 0.25
    assert (found.flips.needed, found.flips.more_runs) == (7, 2)  # 3 a run: 3 runs make 9, 2 would make 6
    assert "about 2 more runs" in found.says


def test_calls_that_were_fixed_are_an_improvement():
    found = compare(run(failing=first(9)), run(measures=lambda seed: wandering(seed, 1)))
    assert found.verdict == "improved"
    assert "passes in 9 calls in which it failed before" in found.reasons[0].says


def test_flips_in_both_directions_are_chance():
    a = run(failing=first(4))
    b = run(failing=lambda seed: TOOLS if 4 <= seed < 9 else None, measures=lambda seed: wandering(seed, 1))
    assert compare(a, b).verdict == "no evidence"


# -- calls that repeat themselves --------------------------------------------------------------------------------------


def test_where_calls_repeat_themselves_one_that_breaks_is_no_chance():
    found = compare(run(), run(failing=first(1)))
    assert found.verdict == "regressed"
    assert found.repeatable
    assert found.reasons[0].basis == "repeatable"
    assert found.reasons[0].p is None
    assert "fails in 1 of 20 calls that were right before" in found.reasons[0].says
    assert found.detectable_flips == 1 / 20


def test_noise_runs_that_differ_take_that_back():
    noisy = [run(measures=partial(wandering, run=again)) for again in (1, 2)]
    found = compare(run(), run(failing=first(1)), noise=noisy)
    assert not found.repeatable
    assert found.verdict == "no evidence"


def test_noise_runs_without_noise_prove_it_even_when_every_call_differs():
    b = run(failing=first(2), measures=lambda seed: wandering(seed, 1))
    assert compare(run(), b).verdict == "no evidence"
    found = compare(run(), b, noise=[run(), run()])
    assert found.noise is not None
    assert (found.noise.pairs, found.noise.flips, found.noise.repeatable) == (60, 0, True)
    assert found.verdict == "regressed"


def by_build(seed: int, **changed: object) -> Measures:
    """A call with nothing in it that has chance in it."""
    return figures(seed, repeatable=True, **changed)


def test_calls_without_chance_in_them_need_few_that_stay_the_same():
    def interrupted(overlap_ms: float) -> Callable[[int], Measures]:
        return lambda seed: by_build(
            seed, **({"yields": Rate(hits=1, n=1), "overlap_ms": overlap_ms} if seed < 4 else {"overlap_ms": 0.0})
        )

    a, b = run(7, measures=interrupted(150)), run(7, measures=interrupted(900))
    found = compare(a, b)  # the 4 callers who interrupt are talked over; no verdict changes
    assert (found.identical, found.repeatable, found.verdict) == (3, True, "regressed")
    assert [(reason.stage, reason.metric) for reason in found.reasons] == [("turns", "overlap an interruption")]
    assert compare(a[:6], b[:6]).verdict == "no evidence"  # two that stay the same may be chance


def test_a_busy_machine_is_no_change_of_the_call():
    late: dict[str, Stage] = {"latency.v2v_p95": "latency"}
    found = compare(run(), run(failing=lambda seed: late if seed < 3 else None))
    assert found.repeatable
    assert found.verdict == "no evidence"  # a latency budget that was missed thrice may be the machine


def test_both_directions_are_left_to_the_statistics_even_where_calls_repeat_themselves():
    b = run(failing=lambda seed: TOOLS if seed == 5 else None)
    assert compare(run(failing=first(1)), b).verdict == "no evidence"


# -- figures -----------------------------------------------------------------------------------------------------------


def later(ms: float, stage: str = "brain") -> Callable[[int], Measures]:
    def measures(seed: int) -> Measures:
        base = figures(seed)
        times = base.stages_ms | {stage: [time + ms for time in base.stages_ms[stage]]}
        return base.model_copy(update={"v2v_ms": [time + ms for time in base.v2v_ms], "stages_ms": times})

    return measures


@pytest.mark.parametrize("stage", STAGES)
def test_answers_that_come_later_are_found_and_the_part_is_named(stage: str):
    found = compare(run(), run(measures=later(300, stage)))
    assert found.verdict == "regressed"
    reason = found.reasons[0]
    assert (reason.stage, reason.metric) == ("latency", "v2v p50")
    assert f"most of it in '{stage}'" in reason.says
    assert "from 320 ms to 620 ms" in reason.says
    assert reason.low == pytest.approx(300)
    assert reason.n == 20


def test_a_change_that_does_not_matter_is_none():
    assert compare(run(), run(measures=later(90))).verdict == "no evidence"
    assert compare(run(), run(measures=later(90)), settings=Settings(least_ms=50)).verdict == "regressed"


def test_answers_that_come_sooner_are_an_improvement():
    found = compare(run(measures=later(300)), run())
    assert found.verdict == "improved"


def test_latency_is_never_judged_from_a_few_calls():
    found = compare(run(6), run(6, measures=later(300)))
    assert found.verdict == "no evidence"  # 2 / 2**6 = 0.031 at best
    # 2 / 2**8 = 0.0078, twice, for P50 and P95: the figures that are the same in both runs are not corrected for
    assert compare(run(8), run(8, measures=later(300))).verdict == "regressed"


def paced(factor: float, voice_ms: float = 0.0) -> Callable[[int], Measures]:
    """A machine that computes so many times slower, and a voice that comes later besides."""

    def measures(seed: int) -> Measures:
        computed = {"turn": 120.0, "stt": 5.0, "brain": 10.0 + seed, "clause": 1.0, "voice": 8.0}
        stages = {name: [ms * factor + (voice_ms if name == "voice" else 0.0)] * 3 for name, ms in computed.items()}
        return figures(
            seed, stages_ms=stages | {"silence": [200.0] * 3}, v2v_ms=[200 + sum(s[0] for s in stages.values())] * 3
        )

    return measures


def test_a_machine_that_is_slower_in_every_part_is_no_regression():
    found = compare(run(measures=paced(1)), run(measures=paced(3)))
    assert found.verdict == "no evidence"
    assert found.pace == pytest.approx(3)
    assert "typically differs by a factor of 3.0" in found.says


def test_one_part_that_is_slower_is_not_the_machine():
    found = compare(run(measures=paced(1)), run(measures=paced(1.1, voice_ms=300)))
    assert found.pace == pytest.approx(1.1)
    assert found.verdict == "regressed"
    assert "most of it in 'voice'" in found.reasons[0].says


def test_an_agent_that_no_longer_yields():
    a = run(measures=lambda seed: figures(seed, yields=Rate(hits=2, n=2) if seed < 6 else Rate()))
    b = run(measures=lambda seed: figures(seed, yields=Rate(hits=0, n=2) if seed < 6 else Rate()))
    found = compare(a, b, settings=Settings(repeatable=True))
    assert found.verdict == "regressed"
    (reason,) = found.reasons
    assert (reason.stage, reason.metric, reason.n, reason.basis) == ("turns", "yield rate", 6, "repeatable")
    assert "fell from 100.0 % to 0.0 %" in reason.says
    assert "few" in reason.says


def test_worse_hearing_in_most_calls():
    found = compare(run(), run(measures=lambda seed: figures(seed, substituted=4, call_s=41.0)))
    assert [reason.stage for reason in found.reasons] == ["ear"]
    assert "WER rose from 3.3 % to 13.3 %" in found.reasons[0].says


def test_the_noise_floor_is_the_least_that_can_be_believed():
    # Two more runs of the same agent were 0 and 400 ms slower: then 300 ms are nothing.
    found = compare(run(), run(measures=later(300)), noise=[run(measures=later(400))])
    assert found.verdict == "no evidence"
    assert next(trend for trend in found.trends if trend.metric == "v2v p50").least == pytest.approx(400)


def test_worse_in_one_thing_is_a_regression_whatever_became_better():
    found = compare(run(failing=first(9)), run(measures=later(300)))
    assert found.verdict == "regressed"
    assert found.reasons[0].verdict == "regressed"
    assert "improved" in [reason.verdict for reason in found.reasons]


# -- pairing -----------------------------------------------------------------------------------------------------------


def ids(results: Iterable[Result]) -> list[str]:
    return [result.case.id for result in results]


def test_what_is_in_one_run_alone_is_said_and_not_compared():
    a, b = run(10), run(12)[2:]
    found = compare(a, b)
    assert found.pairs == 8
    assert found.only_a == ids(a[:2])
    assert found.only_b == sorted(ids(b[-2:]))


def test_invalid_runs_are_not_compared_and_the_last_attempt_counts():
    b = run(10)
    b[3] = call(3, verdict="invalid")
    b[4] = call(4, verdict="invalid")
    b.append(call(4).model_copy(update={"attempt": 2}))
    found = compare(run(10), b)
    assert found.invalid == [b[3].case.id]
    assert found.pairs == 9


def test_nothing_in_common():
    found = compare(run(3), [])
    assert found.verdict == "no evidence"
    assert found.says == "no evidence: no call is in both runs"
    assert found.trends == []


def test_the_comparison_keeps_everything_it_was_made_with():
    settings = Settings(alpha=0.01, seed=7)
    found = compare(run(5), run(5), settings=settings)
    assert found.settings == settings
    assert found.model_validate_json(found.model_dump_json()) == found


def test_the_noise_floor_of_runs():
    floor = noise_floor([run(10), run(10, failing=first(1)), run(10, measures=later(30))])
    # 3 pairs of runs of 10 calls; the first call flips in two of them
    assert (floor.pairs, floor.flips) == (30, 2)
    assert floor.changes["v2v p50"] == pytest.approx(30)
    assert not floor.repeatable
