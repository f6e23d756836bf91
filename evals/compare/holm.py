"""Holm's step-down correction (1979): of a family of tests, the chance that any of them errs stays below alpha."""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(ps: Sequence[float]) -> list[float]:
    """Each p, corrected for being one of several: compare with alpha as if it were alone. In the order given."""
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    out = [0.0] * len(ps)
    reached = 0.0
    for rank, index in enumerate(order):
        reached = max(reached, min(1.0, (len(ps) - rank) * ps[index]))
        out[index] = reached
    return out
