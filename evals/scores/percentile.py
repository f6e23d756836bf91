"""Percentiles by linear interpolation between ranks (Hyndman and Fan's type 7, numpy's default)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class Percentiles(BaseModel):
    """A figure always comes with the number of values behind it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    worst: float


def quantile(values: Iterable[float], q: float) -> float:
    """The value at rank q * (n - 1), from 0, in proportion between two neighbours. Raises ValueError of none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there is no percentile of nothing")
    rank = q * (len(ordered) - 1)
    low, high = math.floor(rank), math.ceil(rank)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def percentiles(values: Iterable[float]) -> Percentiles | None:
    """None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    p50, p90, p95, p99 = (quantile(ordered, q) for q in (0.5, 0.9, 0.95, 0.99))
    mean = math.fsum(ordered) / len(ordered)
    return Percentiles(n=len(ordered), mean=mean, p50=p50, p90=p90, p95=p95, p99=p99, worst=ordered[-1])
