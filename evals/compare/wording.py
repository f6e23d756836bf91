"""The sentences of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from voicebot.evals.measures import FEW
from voicebot.evals.result import Stage

from .comparison import Flips, Reason, Settings, Trend, Unit, Verdict
from .family import PART_STAGES
from .pace import Pace
from .pairing import Pair


class Blame:
    """Which part of the waterfall a change of latency comes from."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs

    def parts(self) -> list[tuple[str, float]]:
        """Stage of the waterfall -> by how much its mean time a turn changed, the largest change first."""
        names = {name for pair in self._pairs for side in (pair.a, pair.b) for name in side.measures.stages_ms}
        changes = [(name, self._mean_ms("b", name) - self._mean_ms("a", name)) for name in names]
        return sorted(changes, key=lambda change: (-abs(change[1]), change[0]))

    def _mean_ms(self, side: str, name: str) -> float:
        results = [pair.a if side == "a" else pair.b for pair in self._pairs]
        times = [time for result in results for time in result.measures.stages_ms.get(name, [])]
        return fmean(times) if times else 0.0


def reason(trend: Trend, blame: Blame) -> Reason:
    """A trend that is one, in words."""
    assert trend.verdict != "no evidence"
    assert trend.change is not None
    rose = "rose" if trend.change > 0 else "fell"
    figure = f"{trend.metric} {rose} from {_shown(trend.a, trend.unit)} to {_shown(trend.b, trend.unit)}"
    where, stage = _part(trend, blame)
    return Reason(
        verdict=trend.verdict,
        stage=stage,
        metric=trend.metric,
        says=f"{figure}{where} ({_evidence(trend)})",
        n=trend.n,
        p=trend.p_holm if trend.basis == "statistics" else None,
        low=trend.low,
        high=trend.high,
        basis=trend.basis,
    )


def _part(trend: Trend, blame: Blame) -> tuple[str, Stage]:
    """Where in a reply the time is lost; the stage stays 'latency', which is where the waterfall is read."""
    if not trend.metric.startswith("v2v"):
        return "", trend.stage
    assert trend.change is not None
    parts = [(name, change) for name, change in blame.parts() if change * trend.change > 0]
    if not parts:
        return "", trend.stage
    name, change = parts[0]
    return f", most of it in '{name}' ({PART_STAGES[name]}, {change:+.0f} ms a turn)", trend.stage


def _evidence(trend: Trend) -> str:
    calls = f"n {trend.n} calls" + (", few" if trend.n < FEW else "")
    interval = ""
    if trend.low is not None and trend.high is not None:
        interval = f", 95 % interval of the change {_shown(trend.low, trend.unit)} to {_shown(trend.high, trend.unit)}"
    if trend.basis == "repeatable":
        changed = trend.worse + trend.better
        which = "the only call" if changed == 1 else f"all {changed}"
        return f"{calls}{interval}; the same way in {which} that changed, and calls repeat themselves exactly"
    return f"{calls}{interval}, p = {trend.p_holm:.2g} after Holm"


def _shown(value: float | None, unit: Unit) -> str:
    if value is None:
        return "nothing"
    if unit == "ms":
        return f"{value:.0f} ms"
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:.2f} {unit}"


def sentence(verdict: Verdict, why: Sequence[Reason], found: Flips, pairs: int, settings: Settings) -> str:
    """The whole comparison in one sentence."""
    broken, fixed = len(found.broken), len(found.fixed)
    counts = f"{broken} broke, {fixed} were fixed, of {pairs} calls in both runs"
    if verdict != "no evidence":
        stages = ", ".join(dict.fromkeys(each.stage for each in why if each.verdict == verdict))
        return f"{verdict}: {stages} ({counts})"
    if not pairs:
        return "no evidence: no call is in both runs"
    if found.more_runs and broken > fixed:
        runs = "run" if found.more_runs == 1 else "runs"
        return (
            f"no evidence: {counts}; it would take {found.needed} to rule out chance (p <= {settings.alpha / 2:g}), "
            f"about {found.more_runs} more {runs} of the suite if it goes on like this"
        )
    return f"no evidence: {counts}"


def remark(speed: Pace) -> str:
    """That the machine was not equally fast in both runs, when it was not."""
    if not speed.differs:
        return ""
    return (
        f"; the machine was not equally fast in both runs (a part of a reply typically differs by a factor of "
        f"{speed.unrest:.1f}), so latencies say less"
    )
