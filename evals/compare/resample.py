"""Paired resampling by call: what chance alone could have made of the difference between two runs.

A call is the unit: the turns of one call belong together, so they are drawn together. `swapped` exchanges the two
runs' versions of a call at random, which is what chance would do if nothing had changed (a permutation test; exact when
few calls differ). `drawn` draws whole pairs with replacement (the bootstrap), for intervals. Both are seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]

EXACT_CALLS = 12
"""With so many differing calls all 2**n exchanges are looked at."""
_CHUNK = 500


class Pairs(Protocol):
    """The same calls in two runs."""

    @property
    def differs(self) -> npt.NDArray[np.bool_]:
        """Which calls are not the same in both runs."""

    def change(self, a: Weights, b: Weights) -> Floats:
        """The change of the figure when the calls count with these weights.

        `a` and `b` are (draws, 2 * calls): how often each call counts on the old and on the new side, first as the old
        run has it and then as the new run has it. NaN where there is nothing to be measured.
        """

    def exchanged(self, exchange: Weights) -> Floats:
        """How far apart the runs are when those calls are exchanged for which `exchange` (draws, calls) is 1."""


@dataclass(frozen=True)
class Ratios:
    """A figure that is a sum over a sum: hits of n, errors of words, faults of calls."""

    a: Floats
    """(calls, 2): numerator and denominator in the old run."""
    b: Floats

    @property
    def differs(self) -> npt.NDArray[np.bool_]:
        return np.asarray((self.a != self.b).any(axis=1))

    def change(self, a: Weights, b: Weights) -> Floats:
        both = np.concatenate((self.a, self.b))
        return _ratio(b @ both) - _ratio(a @ both)

    def exchanged(self, exchange: Weights) -> Floats:
        return self.change(np.hstack((1 - exchange, exchange)), np.hstack((exchange, 1 - exchange)))


def _ratio(sums: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1])


@dataclass(frozen=True)
class Quantiles:
    """A percentile over the values of all calls together."""

    a: Sequence[Sequence[float]]
    """Each call's values in the old run."""
    b: Sequence[Sequence[float]]
    q: float

    @property
    def differs(self) -> npt.NDArray[np.bool_]:
        return np.asarray([list(one) != list(other) for one, other in zip(self.a, self.b, strict=True)], bool)

    def change(self, a: Weights, b: Weights) -> Floats:
        lists = [*self.a, *self.b]
        values = np.asarray([value for each in lists for value in each])
        owner = np.repeat(np.arange(len(lists)), [len(each) for each in lists])
        order = np.argsort(values, kind="stable")
        values, owner = values[order], owner[order]
        return self._quantile(values, b[:, owner]) - self._quantile(values, a[:, owner])

    def exchanged(self, exchange: Weights) -> Floats:
        """By the mean change of each call's own percentile: the percentile of all values together jumps from one run's
        level to the other's as soon as half of the calls are exchanged, which would hide every plain shift."""
        own = [np.quantile(new, self.q) - np.quantile(old, self.q) for old, new in zip(self.a, self.b, strict=True)]
        return np.asarray((1 - 2 * exchange) @ np.asarray(own) / len(own))

    def _quantile(self, values: Floats, counts: Weights) -> Floats:
        """By linear interpolation, of `values` (sorted) each taken so many times."""
        reached = np.cumsum(counts, axis=1)
        rank = self.q * (reached[:, -1] - 1)
        low, high = (self._at(values, reached, side) for side in (np.floor(rank), np.ceil(rank)))
        found = low + (high - low) * (rank - np.floor(rank))
        return np.where(reached[:, -1] > 0, found, np.nan)

    @staticmethod
    def _at(values: Floats, reached: Floats, rank: Floats) -> Floats:
        return np.asarray(values[np.argmax(reached > rank[:, None], axis=1)])


def observed(pairs: Pairs) -> float:
    """The change from the old run to the new one; NaN when one of them has nothing to be measured."""
    size = len(pairs.differs)
    one, other = np.zeros((1, 2 * size)), np.zeros((1, 2 * size))
    one[:, :size], other[:, size:] = 1, 1
    return float(pairs.change(one, other)[0])


def swapped(pairs: Pairs, draws: int, seed: int) -> Floats:
    """How far apart the runs are after exchanging the two versions of each differing call at random, `draws` times; or,
    when few differ, in every possible way. The first is without any exchange."""
    differs = np.flatnonzero(pairs.differs)
    size = len(pairs.differs)
    if len(differs) <= EXACT_CALLS:
        flips = (np.arange(2 ** len(differs))[:, None] >> np.arange(len(differs))) & 1
    else:
        flips = np.random.default_rng(seed).integers(0, 2, (draws + 1, len(differs)))
        flips[0] = 0
    exchange = np.zeros((len(flips), size))
    exchange[:, differs] = flips
    return pairs.exchanged(exchange)


def drawn(pairs: Pairs, draws: int, seed: int) -> Floats:
    """The change in `draws` samples of the pairs, drawn with replacement; those without a figure are left out."""
    size = len(pairs.differs)
    counts = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), draws).astype(np.float64)
    nothing = np.zeros_like(counts)
    found = _in_chunks(pairs, np.hstack((counts, nothing)), np.hstack((nothing, counts)))
    return found[~np.isnan(found)]


def _in_chunks(pairs: Pairs, a: Weights, b: Weights) -> Floats:
    parts = [pairs.change(a[at : at + _CHUNK], b[at : at + _CHUNK]) for at in range(0, len(a), _CHUNK)]
    return np.concatenate(parts)


def permutation_p(pairs: Pairs, draws: int, seed: int) -> float:
    """Two-sided p: how often chance alone makes a change at least as large. 1 when no call differs."""
    if not pairs.differs.any():
        return 1.0
    chance = np.abs(swapped(pairs, draws, seed))
    return float((chance >= chance[0] - 1e-12).mean())
