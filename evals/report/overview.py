"""The figures of a run, in the order in which a reader asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from voicebot.evals import scores
from voicebot.evals.kept.runs import Run
from voicebot.evals.result import Result, Verdict
from voicebot.evals.scores.percentile import Percentiles
from voicebot.evals.scores.summary import Group, Row, Summary

from .matrix import SIGNS

FEW = "few"
"""Said beside a figure that stands on too little."""


@dataclass(frozen=True)
class Figure:
    """One number for the top of the page."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Table:
    title: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Overview:
    """What stands above the calls."""

    look: Verdict
    headline: str
    remarks: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    @property
    def sign(self) -> str:
        return SIGNS[self.look]


def of(run: Run, final: Sequence[Result]) -> Overview:
    """Of a run's results, one a case."""
    summary = scores.summarise(final)
    passed = summary.passes.rate
    look: Verdict = "invalid" if not passed.n else "passed" if passed.hits == passed.n else "failed"
    return Overview(look, _headline(summary), list(_remarks(run, summary)), list(_figures(summary)), _tables(summary))


def _headline(summary: Summary) -> str:
    passes = summary.passes
    if passes.rate.value is None or passes.low is None or passes.high is None:
        return "No call counts, so there is no verdict."
    interval = f"95 % interval {_percent(passes.low)} to {_percent(passes.high)}"
    return f"{passes.rate.hits} of {passes.rate.n} calls passed: {_percent(passes.rate.value)} ({interval})"


def _remarks(run: Run, summary: Summary) -> Iterator[str]:
    if summary.passes.few and summary.calls:
        yield f"Fewer than 10 calls: this says little about the agent (n = {summary.calls})."
    if summary.invalid:
        calls = "call is" if summary.invalid == 1 else "calls are"
        yield f"{summary.invalid} {calls} invalid and counted nowhere: the simulation broke, not the agent."
    missing = len(run.meta.planned) - summary.calls - summary.invalid
    if missing > 0:
        state = f"the run's state is '{run.meta.state}'"
        yield f"{missing} of {len(run.meta.planned)} planned calls were not made; {state}."
    if summary.unpriced:
        yield f"Without a price: {', '.join(summary.unpriced)}."


def _figures(summary: Summary) -> Iterator[Figure]:
    by_name = {row.metric: row for row in summary.rows}
    if v2v := summary.latencies.get("v2v"):
        detail = f"median; p95 {v2v.p95:.0f} ms, {_n(v2v.n, 'turns', v2v.n < 10)}"
        yield Figure("Voice to voice", f"{v2v.p50:.0f} ms", detail)
    for metric, name in (
        ("response rate", "Turns answered"),
        ("yield rate", "Yields when interrupted"),
        ("false interruptions", "False interruptions"),
        ("WER pooled", "Word errors"),
        ("entity accuracy", "Entities heard right"),
        ("tool validity", "Tool calls valid"),
    ):
        row = by_name.get(metric)
        if row is not None and row.value is not None:
            yield Figure(name, _value(row), _n(row.n, row.of, row.few))
    cost = "unknown" if summary.cost_usd is None else f"${summary.cost_usd:.2f}" if summary.cost_usd else "nothing"
    yield Figure("Cost", cost, f"{summary.seconds / 60:.0f} minutes of calls")


def _tables(summary: Summary) -> list[Table]:
    tables = [_latencies(summary), _all_rows(summary), _pass_k(summary)]
    for title, groups in (
        ("By scenario", summary.scenarios), ("By persona", summary.personas), ("By line", summary.lines),
    ):  # fmt: skip
        if len(groups) > 1:
            tables.append(_groups(title, groups))
    return [table for table in tables if table.rows]


def _latencies(summary: Summary) -> Table:
    head = ["ms", "p50", "p90", "p95", "p99", "worst", "n"]
    rows = [[_name(name), *_milliseconds(found), str(found.n)] for name, found in summary.latencies.items()]
    return Table("Latency by stage", head, rows)


def _name(series: str) -> str:
    return series.removeprefix("stages.").replace("_", " ")


def _milliseconds(found: Percentiles) -> list[str]:
    return [f"{value:.0f}" for value in (found.p50, found.p90, found.p95, found.p99, found.worst)]


def _all_rows(summary: Summary) -> Table:
    rows = [
        [row.metric, _value(row), _interval(row), _n(row.n, row.of, row.few)]
        for row in summary.rows
        if row.value is not None
    ]
    return Table("All figures", ["figure", "value", "95 % interval", "on"], rows)


def _pass_k(summary: Summary) -> Table:
    rows = [[str(each.k), _percent(each.at), _percent(each.hat), str(each.cells)] for each in summary.passes.k]
    return Table("Repeated calls", ["k", "pass@k: one of k", "pass^k: all k", "cells"], rows if len(rows) > 1 else [])


def _groups(title: str, groups: Sequence[Group]) -> Table:
    rows = [
        [
            group.name,
            f"{group.passed.hits} of {group.passed.n}",
            str(group.invalid),
            f"{group.v2v.p50:.0f} ms" if group.v2v else "",
            f"{group.v2v.p95:.0f} ms" if group.v2v else "",
            "" if group.wer is None else _percent(group.wer),
        ]
        for group in groups
    ]
    return Table(title, [title.split()[-1], "passed", "invalid", "v2v p50", "v2v p95", "WER"], rows)


def _value(row: Row) -> str:
    value = row.value or 0.0
    match row.unit:
        case "share":
            return _percent(value)
        case "ms":
            return f"{value:.0f} ms"
        case "s":
            return f"{value:.2f} s"
        case "usd":
            return f"${value:.4f}"
        case "count":
            return f"{value:.0f}"
        case _:
            return f"{value:.2f}"


def _interval(row: Row) -> str:
    return "" if row.low is None or row.high is None else f"{_percent(row.low)} to {_percent(row.high)}"


def _n(n: int, of: str, few: bool) -> str:
    """'n = 7 turns, few': with blanks that do not break."""
    return f"n\u00a0=\u00a0{n} {of}" + (f", {FEW}" if few else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"
