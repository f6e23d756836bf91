"""The figures of many calls: rates with what they stand on, percentiles over all turns, and the same by cell.

Invalid runs (the caller, the line or the judge broke) are counted and shown, and are in no figure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from voicebot.evals.measures import Rate
from voicebot.evals.result import Result

from . import passes
from .intervals import clopper_pearson, wilson
from .percentile import Percentiles
from .table import Row, latency_percentiles, pooled, rows, word_error_rate

__all__ = ["Group", "PassK", "Passes", "Row", "Summary", "summarise", "tries_by_cell"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PassK(_Frozen):
    """pass@k and pass^k, means over the cells with at least k tries."""

    k: int
    at: float
    """At least one of k tries passes."""
    hat: float
    """All of k tries pass."""
    cells: int


class Passes(_Frozen):
    """How many calls passed."""

    rate: Rate
    low: float | None = None
    high: float | None = None
    """95 % interval after Wilson."""
    exact_low: float | None = None
    exact_high: float | None = None
    """95 % interval after Clopper and Pearson, which is never too narrow."""
    k: list[PassK] = []

    @property
    def few(self) -> bool:
        return self.rate.few


class Group(_Frozen):
    """The figures of a part of the calls: one scenario, persona or line."""

    name: str
    passed: Rate
    invalid: int
    v2v: Percentiles | None
    responses: Rate
    wer: float | None
    few: bool


class Summary(_Frozen):
    """All figures of a run."""

    calls: int
    """Those that count, without the invalid ones."""
    invalid: int
    passes: Passes
    rows: list[Row]
    latencies: dict[str, Percentiles]
    """'v2v', 'v2v_outside', 'engine', 'stages.brain' ... -> their percentiles over all turns, in milliseconds."""
    scenarios: list[Group]
    personas: list[Group]
    lines: list[Group]
    failed_checks: dict[str, int]
    """Declared check -> in how many calls it failed."""
    cost_usd: float | None
    """None when something that was used has no price."""
    unpriced: list[str]
    seconds: float
    """Length of all calls on their own clocks."""


def summarise(results: Iterable[Result]) -> Summary:
    """The figures of a run, from the last result of each case. Give it the results after `rescore`, one a case."""
    every = list(results)
    counted = [result for result in every if result.verdict != "invalid"]
    figures = [result.measures for result in counted]
    costs = [each.cost_usd for each in figures]
    return Summary(
        calls=len(counted),
        invalid=len(every) - len(counted),
        passes=_passes(counted),
        rows=rows(figures),
        latencies=latency_percentiles(figures),
        scenarios=_groups(every, lambda result: result.case.scenario),
        personas=_groups(every, lambda result: result.case.persona),
        lines=_groups(every, lambda result: result.case.line),
        failed_checks=dict(Counter(check for result in counted for check in {each.check for each in result.failed})),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
        unpriced=sorted({name for each in figures for name in each.unpriced}),
        seconds=sum(each.call_s for each in figures),
    )


# -- passes ------------------------------------------------------------------------------------------------------------


def _passes(counted: Sequence[Result]) -> Passes:
    tries = tries_by_cell(counted)
    rate = Rate(hits=sum(passed for _, passed in tries), n=sum(n for n, _ in tries))
    low, high = wilson(rate.hits, rate.n) or (None, None)
    exact_low, exact_high = clopper_pearson(rate.hits, rate.n) or (None, None)
    ks = range(1, max((n for n, _ in tries), default=0) + 1)
    return Passes(
        rate=rate, low=low, high=high, exact_low=exact_low, exact_high=exact_high, k=[_pass_k(tries, k) for k in ks]
    )


def _pass_k(tries: Sequence[tuple[int, int]], k: int) -> PassK:
    at, hat = passes.mean_pass_at_k(tries, k), passes.mean_pass_hat_k(tries, k)
    assert at is not None
    assert hat is not None
    return PassK(k=k, at=at, hat=hat, cells=sum(n >= k for n, _ in tries))


def tries_by_cell(counted: Iterable[Result]) -> list[tuple[int, int]]:
    """(tries, passes) of each cell (scenario, persona, line): its seeds are tries of the same thing."""
    cells: dict[str, list[bool]] = defaultdict(list)
    for result in counted:
        cells[result.case.cell].append(result.verdict == "passed")
    return [(len(tries), sum(tries)) for tries in cells.values()]


def _groups(every: Sequence[Result], key: Callable[[Result], str]) -> list[Group]:
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in every:
        groups[key(result)].append(result)
    return [_group(name, its) for name, its in groups.items()]


def _group(name: str, its: Sequence[Result]) -> Group:
    counted = [result for result in its if result.verdict != "invalid"]
    figures = [result.measures for result in counted]
    passed = Rate(hits=sum(result.verdict == "passed" for result in counted), n=len(counted))
    return Group(
        name=name,
        passed=passed,
        invalid=len(its) - len(counted),
        v2v=latency_percentiles(figures).get("v2v"),
        responses=pooled(figures, lambda m: m.responses),
        wer=word_error_rate(figures),
        few=passed.few,
    )
