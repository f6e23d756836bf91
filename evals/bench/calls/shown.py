"""A study as lines for a terminal: a table row for each level, a chart of latency over calls, what broke."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from voicebot.evals.bench import chart
from voicebot.evals.bench.calls.budget import LATE_MS, Budget
from voicebot.evals.bench.calls.figures import Added
from voicebot.evals.bench.calls.study import FLOOR, Row
from voicebot.latency import Percentiles

HEADERS = (
    "calls",
    "system",
    "CPU-s per call-minute",
    "MB per call",
    "reply p50 / p95, ms",
    "engine-added p50 / p95, ms",
    "strictly, ms",
    "gap, ms",
    "set-up p50 / p95, ms",
    "answered",
    "lost",
    "",
)
_WIDTH = 48
_FEW = 20
_BUSY = 0.05
_BAR, _OVER, _LIMIT = "█", "▒", "│"


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table."""
    found = row.figures
    return (
        str(found.calls),
        found.system,
        _number(found.cpu_s_per_call_minute, 2),
        _number(found.memory_mb_per_call, 1),
        _both(found.reply),
        "-" if found.system == FLOOR else _both(row.added),
        _both(row.strict),
        f"{found.gap_ms:.0f}",
        _both(found.setup),
        f"{found.answered} of {found.turns}",
        str(found.lost_calls),
        word(row),
    )


def word(row: Row) -> str:
    """The verdict in a word."""
    if not row.verdict.judged:
        return "not judged"
    if row.figures.system == FLOOR:
        return "keeps up" if row.figures.keeps_up else "does not keep up"
    return "inside" if row.verdict.fits else "broken"


def line(row: Row) -> str:
    """A level in short, while others are still to be measured."""
    added = "no answers" if row.added is None else f"engine-added p95 {row.added.p95:.0f} ms"
    cpu = row.figures.cpu_s_per_call_minute
    spent = "" if cpu is None else f", {cpu:.2f} CPU-s per call-minute"
    return f"{row.figures.system}: {row.figures.calls} calls: {word(row)}; {added}{spent}"


def latencies(rows: Sequence[Row], budget: Budget) -> Iterator[str]:
    """A chart: p95 of the engine-added latency over calls, the budget marked. The floor has none."""
    charted = [row for row in rows if row.added and row.figures.system != FLOOR]
    if not charted:
        return
    most = min(max(row.added.p95 for row in charted if row.added), 4 * budget.added_ms)
    scale = _WIDTH / max(most, 1.25 * budget.added_ms)
    yield f"engine-added latency, p95 ({_LIMIT} marks the budget of {budget.added_ms:.0f} ms)"
    for system in dict.fromkeys(row.figures.system for row in charted):
        yield ""
        for row in sorted((row for row in charted if row.figures.system == system), key=lambda row: row.figures.calls):
            if row.added:
                bar = _bar(row.added.p95, budget.added_ms, scale)
                yield f"{system:>9} {row.figures.calls:4d} {bar} {row.added.p95:.0f} ms  {word(row)}"


def _bar(value: float, limit: float, scale: float) -> str:
    at = round(limit * scale)
    length = min(round(max(0.0, value) * scale), _WIDTH)
    inside, over = _BAR * min(length, at), _OVER * max(0, length - at)
    return f"{inside.ljust(at)}{_LIMIT}{over}".ljust(_WIDTH + 1)


def findings(rows: Sequence[Row], best: dict[str, int]) -> Iterator[str]:
    """How many calls each system carries and what broke first, then what to know when reading the table."""
    for system, calls in best.items():
        above = [row for row in rows if row.figures.system == system and row.figures.calls > calls]
        yield _finding(system, calls, min(above, key=lambda row: row.figures.calls, default=None))
    for peer in best.keys() - {"voicebot"}:
        if best.get("voicebot") and best[peer]:
            yield f"voicebot carries {best['voicebot'] / best[peer]:.1f} times as many as {peer}."
    yield from _notes(rows)


def _finding(system: str, calls: int, broken: Row | None) -> str:
    what = f"{system}: {calls or 'no number of'} calls inside the budget"
    if system == "pipecat":
        what += ", its set-up and memory not counted"
    if broken is None:
        return f"{what}; more were not tried."
    if not broken.verdict.judged:
        return f"{what}; {broken.figures.calls} are too many for the callers on this machine."
    return f"{what}; at {broken.figures.calls}: " + "; ".join(map(str, broken.verdict.broken)) + "."


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    if weak := [row.figures.calls for row in rows if row.figures.system == FLOOR and not row.figures.keeps_up]:
        yield (
            f"The bare models themselves do not keep up with {min(weak)} calls: from there on, what counts is the time "
            "beyond a single run of the turn model."
        )
    if late := _levels(row for row in rows if not row.verdict.judged):
        yield f"Callers were over {LATE_MS:.0f} ms late at {late} calls: not judged, too many for this machine."
    if few := _levels(row for row in rows if row.figures.turns < _FEW):
        yield f"Fewer than {_FEW} turns at {few} calls: p95 there is close to the worst. A longer --window has more."
    if busy := [row for row in rows if (row.figures.foreign or 0) > _BUSY]:
        share = max(row.figures.foreign or 0 for row in busy)
        yield f"Something else used up to {share:.0%} of the server's core: run it on a machine that does nothing else."


def _levels(rows: Iterable[Row]) -> str:
    return ", ".join(str(calls) for calls in sorted({row.figures.calls for row in rows}))


def svg(rows: Sequence[Row], budget: Budget) -> str:
    """Bars of what each level cost, beside the budget."""
    charted = [row for row in rows if row.added and row.figures.system != FLOOR]
    labels = [f"{row.figures.system}, {row.figures.calls} calls" for row in charted]
    added = [row.added.p95 for row in charted if row.added]
    setups = [row.figures.setup.p95 if row.figures.setup else 0.0 for row in charted]
    panels = [
        _panel("engine-added latency, p95", added, budget.added_ms),
        _panel("longest audio gap", [row.figures.gap_ms for row in charted], budget.gap_ms),
        _panel("call set-up, p95", setups, budget.setup_ms),
    ]
    return chart.svg("Concurrent calls on one core", labels, panels)


def _panel(title: str, values: Sequence[float], target: float | None) -> chart.Panel:
    assert target is not None
    return chart.Panel(
        title,
        [max(0.0, value) for value in values],
        [f"{value:.0f} ms" for value in values],
        target,
        f"{target:.0f} ms",
    )


def _both(latency: Percentiles | Added | None) -> str:
    return "-" if latency is None else f"{latency.p50:.0f} / {latency.p95:.0f}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
