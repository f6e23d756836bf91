"""The family of figures that two runs are compared by. It is declared here, once: nobody picks a figure afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from voicebot.evals.measures import Measures, Rate
from voicebot.evals.result import Stage
from voicebot.evals.scores.table import latency_series

from .comparison import Settings, Unit
from .pairing import Pair
from .resample import Pairs, Quantiles, Ratios


@dataclass(frozen=True)
class Figure:
    """One of them."""

    name: str
    stage: Stage
    unit: Unit
    lower_is_better: bool
    sums: Callable[[Measures], tuple[float, float]] | None = None
    """For a ratio: numerator and denominator of one call."""
    series: str = ""
    """For a latency: the list of times, by its name in `latency_series` ..."""
    q: float = 0.5
    """... and which percentile of it."""

    @property
    def timed(self) -> bool:
        """Whether the machine's own speed is in it."""
        return bool(self.series)

    def has(self, figures: Measures) -> bool:
        """Whether the call has anything of it."""
        if self.sums:
            return self.sums(figures)[1] > 0
        return bool(latency_series(figures).get(self.series))

    def least(self, settings: Settings, before: float) -> float:
        """The smallest change that matters."""
        if self.unit == "ms":
            return max(settings.least_ms, settings.least_share * abs(before))
        return settings.least_wer if self.name == "WER" else settings.least_rate

    def pairs(self, pairs: Sequence[Pair]) -> Pairs:
        """The figure of each call, before and after."""
        if self.sums:
            rows = [[self.sums(result.measures) for result in (pair.a, pair.b)] for pair in pairs]
            both = np.asarray(rows, float).reshape(-1, 2, 2)
            return Ratios(both[:, 0], both[:, 1])
        series = [[latency_series(result.measures).get(self.series, []) for result in (p.a, p.b)] for p in pairs]
        return Quantiles([one for one, _ in series], [other for _, other in series], self.q)


def _rate(rate: Callable[[Measures], Rate]) -> Callable[[Measures], tuple[float, float]]:
    def sums(figures: Measures) -> tuple[float, float]:
        found = rate(figures)
        return float(found.hits), float(found.n)

    return sums


def _a_call(count: Callable[[Measures], int]) -> Callable[[Measures], tuple[float, float]]:
    return lambda figures: (float(count(figures)), 1.0)


def _errors(figures: Measures) -> tuple[float, float]:
    return float(figures.substituted + figures.deleted + figures.inserted), float(figures.words)


FAMILY: tuple[Figure, ...] = (
    Figure("v2v p50", "latency", "ms", True, series="v2v", q=0.5),
    Figure("v2v p95", "latency", "ms", True, series="v2v", q=0.95),
    Figure("greeting p50", "latency", "ms", True, series="greeting", q=0.5),
    Figure("response rate", "turns", "share", False, _rate(lambda m: m.responses)),
    Figure("yield rate", "turns", "share", False, _rate(lambda m: m.yields)),
    Figure("overlap an interruption", "turns", "ms", True, lambda m: (m.overlap_ms, float(m.yields.n))),
    Figure("false interruptions", "turns", "share", True, _rate(lambda m: m.false_interruptions)),
    Figure("agent interruptions", "turns", "a turn", True, _rate(lambda m: m.agent_interruptions)),
    Figure("WER", "ear", "share", True, _errors),
    Figure("entity accuracy", "ear", "share", False, _rate(lambda m: m.entities)),
    Figure("negation flips", "ear", "a call", True, _a_call(lambda m: m.negation_flips)),
    Figure("tool validity", "tools", "share", False, _rate(lambda m: m.tools)),
    Figure("tool success", "tools", "share", False, _rate(lambda m: m.tools_done)),
    Figure("repeated replies", "brain", "share", True, _rate(lambda m: m.repeated)),
    Figure("caller confused", "brain", "a call", True, _a_call(lambda m: m.confusions)),
    Figure("audio faults", "mouth", "a call", True, _a_call(lambda m: m.dropouts + m.clipped + m.loops + m.cut_offs)),
)
"""Verdicts of the calls are not among them: they are tested apart."""

PART_STAGES: dict[str, Stage] = {
    "silence": "turns",
    "turn": "turns",
    "stt": "ear",
    "brain": "brain",
    "clause": "brain",
    "voice": "mouth",
    "playback": "mouth",
}
"""Stage of the waterfall -> who fixes it."""
