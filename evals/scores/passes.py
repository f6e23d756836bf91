"""pass@k and pass^k: does it work at least once in k tries, and does it work every time.

Unbiased estimates from n tries of which c passed (Chen et al., 2021, for pass@k; Yao et al., 2024, for pass^k): the
chance that k tries drawn from the n without replacement hold at least one pass, or only passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import comb


def pass_at_k(n: int, c: int, k: int) -> float:
    """1 - C(n-c, k) / C(n, k). Raises ValueError unless 0 <= c <= n and 1 <= k <= n."""
    _check(n, c, k)
    return 1 - comb(n - c, k) / comb(n, k)


def pass_hat_k(n: int, c: int, k: int) -> float:
    """C(c, k) / C(n, k). Raises ValueError unless 0 <= c <= n and 1 <= k <= n."""
    _check(n, c, k)
    return comb(c, k) / comb(n, k)


def mean_pass_at_k(tries: Iterable[tuple[int, int]], k: int) -> float | None:
    """Mean over scenarios, each (n, c), of those with at least k tries; None when there is none."""
    values = [pass_at_k(n, c, k) for n, c in tries if n >= k]
    return sum(values) / len(values) if values else None


def mean_pass_hat_k(tries: Iterable[tuple[int, int]], k: int) -> float | None:
    """Mean over scenarios, each (n, c), of those with at least k tries; None when there is none."""
    values = [pass_hat_k(n, c, k) for n, c in tries if n >= k]
    return sum(values) / len(values) if values else None


def _check(n: int, c: int, k: int) -> None:
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"{c} passes of {n} tries say nothing about {k} tries")
