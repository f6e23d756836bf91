"""Latency budgets: how long the caller may have to wait. Without an answered turn nothing is shown, and they fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from voicebot.evals.result import Finding
from voicebot.latency import StageName, percentiles, waterfalls

from .evidence import Evidence
from .values import Budget, Part


class Latency(Part):
    """What the caller may have to wait, at most."""

    v2v_p50: Budget | None = None
    """Voice-to-voice latency, the median of the call's turns."""
    v2v_p95: Budget | None = None
    """Voice-to-voice latency, its 95th percentile."""
    v2v_max: Budget | None = None
    """Voice-to-voice latency of the slowest turn."""
    greeting: Budget | None = None
    """From the answer of the call to the agent's first sound."""
    engine_p95: Budget | None = None
    """What the engine adds: latency without providers and the configured wait for the end of a turn."""
    stages: dict[StageName, Budget] = Field(default={})
    """The 95th percentile of single stages: `{silence, turn, stt, brain, clause, voice, playback}`."""


def check(budgets: Latency | None, call: Evidence) -> Iterator[Finding]:
    """One finding for every budget."""
    if budgets is None:
        return
    figures = call.measures
    every: list[tuple[str, float | None, Sequence[float], str]] = [
        ("v2v_p50", budgets.v2v_p50, figures.v2v_ms, "p50"),
        ("v2v_p95", budgets.v2v_p95, figures.v2v_ms, "p95"),
        ("v2v_max", budgets.v2v_max, figures.v2v_ms, "worst"),
        ("greeting", budgets.greeting, figures.greeting_ms, "worst"),
        ("engine_p95", budgets.engine_p95, figures.engine_ms, "p95"),
    ]
    every += [(f"stages.{name}", most, figures.stages_ms.get(name, []), "p95") for name, most in budgets.stages.items()]
    for name, most_s, values_ms, figure in every:
        if most_s is not None:
            yield _judged(f"latency.{name}", most_s * 1000, values_ms, figure, call)


def _judged(name: str, most_ms: float, values_ms: Sequence[float], figure: str, call: Evidence) -> Finding:
    found = percentiles(values_ms)
    if found is None:
        says = f"nothing was measured (n 0), the budget is {most_ms:.0f} ms"
        return Finding(check=name, ok=False, stage="latency", says=says)
    value: float = getattr(found, figure)
    ok = value <= most_ms
    says = f"{value:.0f} ms, {'within' if ok else 'over'} the budget of {most_ms:.0f} ms (n {found.n})"
    return Finding(check=name, ok=ok, stage="latency", says=says, at_ms=None if ok else _slowest_ms(name, call))


def _slowest_ms(name: str, call: Evidence) -> float | None:
    """The end of the caller's words before the longest wait."""
    if name == "latency.greeting":
        return 0.0
    falls = [fall for fall in waterfalls(call.events) if fall.v2v_ms is not None]
    slowest = max(falls, key=lambda fall: fall.v2v_ms or 0.0, default=None)
    return slowest.speech_end_ms if slowest else None
