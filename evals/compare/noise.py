"""The noise floor: what differs between runs of the same agent, and is therefore no change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from voicebot.evals.result import Result

from .comparison import NoiseFloor
from .family import FAMILY
from .pairing import Pair, paired
from .resample import observed


def noise_floor(runs: Sequence[Iterable[Result]]) -> NoiseFloor:
    """From two or more runs of the same agent on the same cases: every run against every other one."""
    kept = [list(run) for run in runs]
    pairs: list[Pair] = []
    changes: dict[str, float] = {}
    for one, other in combinations(kept, 2):
        these = paired(one, other).pairs
        pairs += these
        for name, change in _changes(these).items():
            changes[name] = max(change, changes.get(name, 0.0))
    return NoiseFloor(
        pairs=len(pairs),
        flips=sum(pair.broken or pair.fixed for pair in pairs),
        identical=sum(pair.identical and pair.a.verdict == pair.b.verdict for pair in pairs),
        changes=changes,
    )


def _changes(pairs: Sequence[Pair]) -> dict[str, float]:
    found: dict[str, float] = {}
    for figure in FAMILY:
        its = [pair for pair in pairs if figure.has(pair.a.measures) and figure.has(pair.b.measures)]
        change = observed(figure.pairs(its)) if its else np.nan
        if not np.isnan(change):
            found[figure.name] = abs(change)
    return found
