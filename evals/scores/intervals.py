"""What a share of n could be in truth: Wilson's interval, and the exact one of Clopper and Pearson."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, fsum, lgamma, log, log1p, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_HALVINGS = 60


def wilson(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Wilson's score interval (1927), the better one on average; None of nothing."""
    if not n:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = hits / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    return (0.0 if hits == 0 else middle - half, 1.0 if hits == n else middle + half)


def clopper_pearson(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The exact interval (1934): it holds the truth at least that often; None of nothing."""
    if not n:
        return None
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _root(lambda p: at_least(hits, n, p) >= tail)
    high = 1.0 if hits == n else _root(lambda p: at_least(hits + 1, n, p) >= 1 - tail)
    return low, high


def at_least(hits: int, n: int, p: float) -> float:
    """P(X >= hits) of a binomial X."""
    if hits <= 0 or p >= 1:
        return 1.0
    if p <= 0:
        return 0.0
    return min(1.0, fsum(exp(_log_chance(i, n, p)) for i in range(hits, n + 1)))


def _log_chance(hits: int, n: int, p: float) -> float:
    ways = lgamma(n + 1) - lgamma(hits + 1) - lgamma(n - hits + 1)
    return ways + hits * log(p) + (n - hits) * log1p(-p)


def _root(reached: Callable[[float], bool]) -> float:
    """The smallest p in 0 .. 1 from which on `reached` is true."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return (low + high) / 2
