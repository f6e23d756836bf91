"""Each figure of the family in both runs: how it changed, and whether chance could have done that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .comparison import NoiseFloor, Settings, Trend, Verdict
from .family import FAMILY, Figure
from .holm import adjusted
from .mcnemar import needed
from .pace import Pace
from .pairing import Pair
from .resample import Pairs, Quantiles, Ratios, drawn, observed, permutation_p

LEAST_CALLS = 3
"""An interval from fewer calls says nothing."""
_POWER = 0.8


@dataclass(frozen=True)
class Judge:
    """Holds what all tests of one comparison share."""

    settings: Settings
    noise: NoiseFloor | None
    repeatable: bool
    pace: Pace

    def trends(self, pairs: Sequence[Pair]) -> list[Trend]:
        """One for every figure of the family that both runs have.

        A figure that differs in so few calls that chance could not be ruled out even if it were the only one cannot
        err, and is left out of the correction (Tarone, 1990). How many differ says nothing about the direction.
        """
        found = [trend for figure in FAMILY if (trend := self._measured(figure, pairs))]
        enough = needed(0, self.settings.alpha / 2)
        testable = [trend for trend in found if trend.differing >= enough]
        corrected = dict(zip((t.metric for t in testable), adjusted([t.p for t in testable]), strict=True))
        return [self._judged(each.model_copy(update={"p_holm": corrected.get(each.metric, 1.0)})) for each in found]

    def _measured(self, figure: Figure, pairs: Sequence[Pair]) -> Trend | None:
        its = [pair for pair in pairs if figure.has(pair.a.measures) and figure.has(pair.b.measures)]
        if not its:
            return None
        its_pairs = figure.pairs(its)
        a, b = values(its_pairs)
        change = observed(its_pairs)
        least = self._least(figure, a)
        low, high, spread = self._interval(its_pairs)
        worse, better = _directions(figure, its_pairs)
        return Trend(
            metric=figure.name,
            stage=figure.stage,
            unit=figure.unit,
            a=a,
            b=b,
            change=change,
            low=low,
            high=high,
            n=len(its),
            p=permutation_p(its_pairs, self.settings.draws, self.settings.seed),
            least=least,
            detectable=None if spread is None else max(least, self._detectable(spread)),
            differing=int(its_pairs.differs.sum()),
            worse=worse,
            better=better,
        )

    def _least(self, figure: Figure, before: float) -> float:
        """The smallest change that matters: larger than that of runs of the same agent, and than what the machine's
        own pace makes of what is computed in a reply."""
        least = figure.least(self.settings, before)
        if self.noise:
            least = max(least, self.noise.changes.get(figure.name, 0.0))
        return max(least, self.pace.explained_ms(before)) if figure.timed else least

    def _interval(self, pairs: Pairs) -> tuple[float | None, float | None, float | None]:
        """95 % by the percentile bootstrap, and the standard error."""
        if len(pairs.differs) < LEAST_CALLS:
            return None, None, None
        sample = drawn(pairs, self.settings.draws, self.settings.seed)
        if not len(sample):
            return None, None, None
        low, high = np.quantile(sample, [0.025, 0.975])
        return float(low), float(high), float(np.std(sample))

    def _detectable(self, spread: float) -> float:
        normal = NormalDist()
        strict = self.settings.alpha / 2 / len(FAMILY)
        return spread * (normal.inv_cdf(1 - strict / 2) + normal.inv_cdf(_POWER))

    def _judged(self, trend: Trend) -> Trend:
        assert trend.change is not None
        if abs(trend.change) < trend.least or trend.change == 0:
            return trend
        lower_is_better = next(figure for figure in FAMILY if figure.name == trend.metric).lower_is_better
        verdict: Verdict = "regressed" if (trend.change > 0) == lower_is_better else "improved"
        if trend.p_holm <= self.settings.alpha / 2:
            return trend.model_copy(update={"verdict": verdict})
        against = trend.better if verdict == "regressed" else trend.worse
        timed = next(figure for figure in FAMILY if figure.name == trend.metric).timed
        if self.repeatable and not timed and not against:
            return trend.model_copy(update={"verdict": verdict, "basis": "repeatable"})
        return trend


def values(pairs: Pairs) -> tuple[float, float]:
    """The figure in the old run and in the new one."""
    if isinstance(pairs, Ratios):
        a, b = pairs.a.sum(axis=0), pairs.b.sum(axis=0)
        return float(a[0] / a[1]), float(b[0] / b[1])
    assert isinstance(pairs, Quantiles)
    one, other = (np.concatenate([np.asarray(each, float) for each in side]) for side in (pairs.a, pairs.b))
    return float(np.quantile(one, pairs.q)), float(np.quantile(other, pairs.q))


def _directions(figure: Figure, pairs: Pairs) -> tuple[int, int]:
    """In how many calls it became worse, and better."""
    if isinstance(pairs, Ratios):
        before, after = (side[:, 0] / side[:, 1] for side in (pairs.a, pairs.b))
    else:
        assert isinstance(pairs, Quantiles)
        before, after = (np.asarray([np.mean(each) for each in side]) for side in (pairs.a, pairs.b))
    up, down = int((after > before).sum()), int((after < before).sum())
    return (up, down) if figure.lower_is_better else (down, up)
