"""What became of a run since another one: the verdict of the comparison, with its reasons by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from voicebot.evals.compare import Comparison, compare
from voicebot.evals.compare.comparison import Reason, Trend, Verdict
from voicebot.evals.kept.runs import Run

Look = Literal["regressed", "improved", "same"]
_LOOKS: dict[Verdict, tuple[Look, str]] = {
    "regressed": ("regressed", "▼"),
    "improved": ("improved", "▲"),
    "no evidence": ("same", "="),
}


@dataclass(frozen=True)
class Change:
    """The comparison as it is shown."""

    baseline: str
    """The run it is compared with."""
    look: Look
    sign: str
    says: str
    reasons: list[Reason]
    remarks: list[str]
    trends: list[list[str]]
    """Every figure that was compared: name, before, now, 95 % interval of the change, calls."""


def of(run: Run, baseline: Run, comparison: Comparison | None = None) -> Change:
    """What became of `baseline` in `run`; `comparison` is that of the two, where it has been made already."""
    found = comparison or compare(baseline.final(), run.final())
    look, sign = _LOOKS[found.verdict]
    trends = [_row(trend) for trend in found.trends if trend.change is not None]
    return Change(baseline.id, look, sign, found.says, found.reasons, list(_remarks(found)), trends)


def _remarks(found: Comparison) -> Iterator[str]:
    yield f"{found.pairs} calls count in both runs, {found.identical} of them went exactly the same way."
    if found.detectable_flips is not None:
        yield f"Fewer than {100 * found.detectable_flips:.0f} % of calls that break would not have been noticed."
    for calls, why in (
        (found.only_a, "in the earlier run alone"),
        (found.only_b, "in this run alone"),
        (found.invalid, "invalid in one of the runs"),
    ):
        if calls:
            some = ", ".join([*calls[:5], *(["..."] if len(calls) > 5 else [])])
            yield f"Not compared, because {why}: {len(calls)} ({some})."


def _row(trend: Trend) -> list[str]:
    interval = "" if trend.low is None else f"{_shown(trend.low, trend)} to {_shown(trend.high, trend)}"
    return [trend.metric, _shown(trend.a, trend), _shown(trend.b, trend), interval, str(trend.n)]


def _shown(value: float | None, trend: Trend) -> str:
    if value is None:
        return ""
    if trend.unit == "ms":
        return f"{value:.0f} ms"
    return f"{100 * value:.1f}\u00a0%" if trend.unit == "share" else f"{value:.2f} {trend.unit}"
