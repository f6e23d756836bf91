"""What came of a run: a table, the figures that matter, and every call that failed with its stage and moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from voicebot import paths
from voicebot.evals import scores
from voicebot.evals.kept.runs import Run
from voicebot.evals.measures import Rate
from voicebot.evals.result import Finding, Result
from voicebot.evals.running.estimate import spoken

from .eval_watch import MARKS

if TYPE_CHECKING:
    from voicebot.evals.scores.percentile import Percentiles
    from voicebot.evals.scores.summary import Group, Row, Summary

    from .terminal import Screen

SHOWN = 10
"""Failed calls that are listed; the report has them all."""
FIGURES = (
    "response rate", "yield rate", "false interruptions", "agent interruptions", "WER pooled", "entity accuracy",
    "tool success",
)  # fmt: skip
"""What is said in one line; the rest is in `--json` and in the report."""

_BETWEEN = "  \u00b7  "


def show(screen: Screen, run: Run) -> None:
    """The whole of it."""
    results = run.final()
    summary = scores.summarise(results)
    if not screen.quiet:
        screen.data()
    _table(screen, summary)
    for line in _figures(summary):
        screen.data(line)
    _failures(screen, run, [result for result in results if result.verdict == "failed"])
    _invalid(screen, [result for result in results if result.verdict == "invalid"])
    if saved := _saved(run, results):
        text = f'{_counted(saved, "invalid attempt")} made again and not counted: voicebot eval sql "from trials"'
        screen.data(Text(text, "dim"))
    if lacking := [case for case in run.missing() if case.id not in {result.case.id for result in results}]:
        screen.data(Text(f"{len(lacking)} of {len(run.meta.planned)} calls were not made: voicebot eval run --resume"))
    _pace(screen, run)


def facts(run: Run) -> dict[str, Any]:
    """The same for machines."""
    results = run.final()
    return {
        "run": run.id,
        "suite": run.meta.suite,
        "state": run.meta.state,
        "folder": str(run.folder),
        "planned": len(run.meta.planned),
        "missing": [case.id for case in run.missing()],
        "seconds": round(run.meta.seconds, 3),
        "summary": scores.summarise(results).model_dump(),
        "failed": [_case_facts(result) for result in results if result.verdict == "failed"],
        "invalid": [_case_facts(result) for result in results if result.verdict == "invalid"],
    }


def _case_facts(result: Result) -> dict[str, Any]:
    return {
        "case": result.case.id,
        "attempt": result.attempt,
        "call": result.call,
        "broke": result.broke,
        "findings": [finding.model_dump() for finding in result.failed],
    }


def _table(screen: Screen, summary: Summary) -> None:
    headers = ["scenario", "passed", "n", "v2v p50", "p95", "answered", "WER"]
    rows = [_row(group) for group in summary.scenarios]
    if len(rows) != 1:
        latency = summary.latencies.get("v2v")
        answered = next((row for row in summary.rows if row.metric == "response rate"), None)
        errors = next((row for row in summary.rows if row.metric == "WER pooled"), None)
        rows.append(
            [
                Text("all", "bold"),
                *_rate(summary.passes.rate, (summary.passes.low, summary.passes.high)),
                *_times(latency),
                _percent(answered.value if answered else None),
                _percent(errors.value if errors else None),
            ]
        )
    screen.table(headers, rows, right=headers[1:])


def _row(group: Group) -> list[Text]:
    from voicebot.evals.scores.intervals import wilson

    interval = wilson(group.passed.hits, group.passed.n) or (None, None)
    return [
        Text(group.name, "bold"),
        *_rate(group.passed, interval),
        *_times(group.v2v),
        _percent(group.responses.value),
        _percent(group.wer),
    ]


def _rate(rate: Rate, interval: tuple[float | None, float | None]) -> tuple[Text, Text]:
    """'87% (62-96)' and n; a rate over few says so."""
    if rate.value is None:
        return Text("-", "dim"), Text("0", "dim")
    style = "good" if rate.hits == rate.n else "bad" if rate.value < 0.5 else "poor"
    text = Text(f"{rate.value:.0%}", style)
    low, high = interval
    if low is not None and high is not None:
        text.append(f" ({low * 100:.0f}-{high * 100:.0f})", "dim")
    return text, Text(f"{rate.n}{' few' if rate.few else ''}", "dim" if rate.few else "")


def _times(times: Percentiles | None) -> tuple[Text, Text]:
    from .waterfall import grade

    if times is None:
        return Text("-", "dim"), Text("-", "dim")
    return Text(f"{times.p50:.0f} ms", grade(times.p50)), Text(f"{times.p95:.0f} ms", grade(times.p95))


def _percent(value: float | None) -> Text:
    return Text("-", "dim") if value is None else Text(f"{value:.0%}")


def _figures(summary: Summary) -> Iterator[Text]:
    """pass^k, and what the ear and the turns were like."""
    several = [each for each in summary.passes.k if each.k > 1]
    if several:
        shown = [each for each in several if each.k in (2, several[-1].k)]
        parts = [f"pass^{each.k} {each.hat:.0%}, pass@{each.k} {each.at:.0%}" for each in shown]
        yield Text(f"over {_counted(shown[0].cells, 'cell')}: {_BETWEEN.join(parts)}")
    known = {row.metric: row for row in summary.rows}
    found = [_figure(known[name]) for name in FIGURES if name in known and known[name].value is not None]
    if found:
        yield Text(_BETWEEN.join(found), "dim")


def _figure(row: Row) -> str:
    assert row.value is not None
    value = f"{row.value:.1%}" if row.unit == "share" else f"{row.value:.2f} {row.unit}"
    return f"{row.metric} {value} (n={row.n}{', few' if row.few else ''})"


def _failures(screen: Screen, run: Run, failed: Sequence[Result]) -> None:
    if not failed:
        return
    sign, style = MARKS["failed"]
    screen.data()
    for result in failed[:SHOWN]:
        screen.data(Text.assemble((f"{sign} ", style), (result.case.id, "bold")))
        for finding in result.failed:
            screen.data(Text("  ").append_text(_finding(finding)))
        if result.call:
            screen.data(Text(f"  voicebot calls show {paths.shown(run.folder / result.call)}", "dim"))
    if len(failed) > SHOWN:
        screen.data(Text(f"and {len(failed) - SHOWN} more: voicebot eval report {run.id}", "dim"))


def _finding(finding: Finding) -> Text:
    text = Text.assemble((f"{finding.stage}: ", "poor"), finding.says)
    if finding.at_ms is not None:
        text.append(f"  at {int(finding.at_ms // 60_000)}:{finding.at_ms / 1000 % 60:04.1f}", "time")
    if finding.quote:
        text.append(f'  "{finding.quote[:120]}"', "note")
    return text


def _invalid(screen: Screen, invalid: Sequence[Result]) -> None:
    if not invalid:
        return
    sign, style = MARKS["invalid"]
    screen.data()
    screen.data(Text(f"{_counted(len(invalid), 'call')} stayed invalid and are not counted:", style))
    for result in invalid[:SHOWN]:
        tries = f" ({result.attempt} attempts)" if result.attempt > 1 else ""
        screen.data(Text.assemble((f"{sign} ", style), (result.case.id, "bold"), f"  {result.broke}{tries}"))


def _saved(run: Run, results: Sequence[Result]) -> int:
    """Invalid attempts of calls that were valid in the end."""
    valid = {result.case.id for result in results if result.verdict != "invalid"}
    return sum(result.verdict == "invalid" and result.case.id in valid for result in run.results())


def _pace(screen: Screen, run: Run) -> None:
    trials = run.trials()
    talked = sum(trial.call_s for trial in trials)
    if run.meta.seconds > 0 and talked:
        speed = f"{talked / run.meta.seconds:.1f} x real time"
        screen.talk(f"{spoken(talked)} of conversation in {spoken(run.meta.seconds)}, {speed}", "dim")
    screen.talk(f"next: voicebot eval report {run.id}", "dim")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
