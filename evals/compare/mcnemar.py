"""McNemar's exact test: of the cases whose verdict changed, did more change one way than chance would have it?

Only the cases that changed count: under the null hypothesis each went either way with probability 1/2 (McNemar, 1947;
the exact binomial form, two-sided, without the mid-p correction).
"""

from __future__ import annotations

from math import comb


def exact_p(broken: int, fixed: int) -> float:
    """Two-sided p of so many changes each way; 1 when nothing changed."""
    changed, fewer = broken + fixed, min(broken, fixed)
    if broken == fixed:
        return 1.0
    tail: int = sum(comb(changed, i) for i in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**changed))


def needed(fixed: int, alpha: float) -> int:
    """How many cases have to break, when `fixed` are fixed, for p to be at most `alpha`."""
    broken = fixed + 1
    while exact_p(broken, fixed) > alpha:
        broken += 1
    return broken
