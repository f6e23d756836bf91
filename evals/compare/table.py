"""What a comparison says in figures, for whoever draws a table of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .comparison import Comparison, Trend

_NAMED = 3
"""Cases of a reason that are named."""


def figure(value: float | None, unit: str) -> str:
    """'812 ms', '12.5%', '0.31'; '-' for none."""
    if value is None:
        return "-"
    return f"{value:.0f} ms" if unit == "ms" else f"{value:.1%}" if unit == "share" else f"{value:.2f}"


def change(trend: Trend) -> str:
    """With its sign, when it is more."""
    sign = "+" if (trend.change or 0) > 0 else ""
    return f"{sign}{figure(trend.change, trend.unit)}"


def interval(trend: Trend) -> str:
    """Of the change, 95 %; '' where there is none."""
    return "" if trend.low is None else f"{figure(trend.low, trend.unit)} to {figure(trend.high, trend.unit)}"


def named(cases: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    return f"{', '.join(cases[:_NAMED])}{more}"


def left_out(comparison: Comparison) -> Iterator[str]:
    """What was not compared, and what could not have been seen."""
    if comparison.only_a or comparison.only_b:
        yield f"not compared: {len(comparison.only_a)} calls only in A, {len(comparison.only_b)} only in B"
    if comparison.invalid:
        yield f"not compared: {len(comparison.invalid)} calls that were invalid in one of both"
    if comparison.noise is not None:
        noise = comparison.noise
        yield f"noise floor: {noise.flips} flips, {noise.identical} identical calls, of {noise.pairs} of the same agent"
    if comparison.detectable_flips is not None and comparison.verdict == "no evidence":
        yield f"of {comparison.pairs} calls, fewer than {comparison.detectable_flips:.0%} breaking would not be noticed"
