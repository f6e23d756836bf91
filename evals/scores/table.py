"""The table of figures: what is shown of many calls, each with what it stands on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from voicebot.evals.measures import FEW, Measures, Rate

from .intervals import wilson
from .percentile import Percentiles, percentiles

Unit = Literal["share", "a turn", "ms", "s", "usd", "count", "score"]
Better = Literal["higher", "lower"]


class Row(BaseModel):
    """One line of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    """Its name in docs/metrics.md."""
    value: float | None
    """None when there was nothing to measure."""
    unit: Unit
    n: int
    """On how many turns, sounds, words or calls it stands: what `of` says."""
    of: str
    few: bool
    """n is below 10: the figure says little."""
    better: Better
    low: float | None = None
    """Of a share: the 95 % interval after Wilson."""
    high: float | None = None


def pooled(figures: Sequence[Measures], rate: Callable[[Measures], Rate]) -> Rate:
    """The rate over all calls: all hits of all n."""
    return sum((rate(each) for each in figures), Rate())


def latency_series(figures: Measures) -> dict[str, list[float]]:
    """Every list of times of a call, by the name by which summaries and comparisons call it."""
    named = {
        "v2v": figures.v2v_ms,
        "v2v_outside": figures.v2v_outside_ms,
        "engine": figures.engine_ms,
        "ttft": figures.ttft_ms,
        "ttfa": figures.ttfa_ms,
        "stt_final": figures.stt_final_ms,
        "end_of_turn": figures.end_of_turn_ms,
        "greeting": figures.greeting_ms,
        "yield": figures.yield_ms,
    }
    return named | {f"stages.{name}": times for name, times in figures.stages_ms.items()}


def latency_percentiles(figures: Iterable[Measures]) -> dict[str, Percentiles]:
    """Percentiles over all turns of all calls; what was never measured is left out."""
    together: dict[str, list[float]] = defaultdict(list)
    for each in figures:
        for name, times in latency_series(each).items():
            together[name] += times
    return {name: found for name, times in together.items() if (found := percentiles(times))}


_RATES: list[tuple[str, Callable[[Measures], Rate], str, Better]] = [
    ("response rate", lambda m: m.responses, "turns", "higher"),
    ("yield rate", lambda m: m.yields, "interruptions", "higher"),
    ("false interruptions", lambda m: m.false_interruptions, "sounds", "lower"),
    ("hesitations", lambda m: m.hesitations, "sounds", "lower"),
    ("entity accuracy", lambda m: m.entities, "entities", "higher"),
    ("tool validity", lambda m: m.tools, "calls of tools", "higher"),
    ("tool success", lambda m: m.tools_done, "calls of tools", "higher"),
    ("repeated replies", lambda m: m.repeated, "replies", "lower"),
]
_COUNTS: list[tuple[str, Callable[[Measures], int]]] = [
    ("dropouts", lambda m: m.dropouts),
    ("clipping", lambda m: m.clipped),
    ("loops", lambda m: m.loops),
    ("cut-offs", lambda m: m.cut_offs),
    ("caller confused", lambda m: m.confusions),
]


def rows(figures: Sequence[Measures]) -> list[Row]:
    """The table of figures, latencies first."""
    return [*_latency_rows(figures), *_rate_rows(figures), *_word_rows(figures), *_count_rows(figures)]


def _latency_rows(figures: Sequence[Measures]) -> list[Row]:
    found = latency_percentiles(figures)
    out = []
    for name, of in (("v2v", "turns"), ("v2v_outside", "turns"), ("engine", "turns"), ("yield", "interruptions")):
        times = found.get(name)
        quantiles = ("p50", "p90", "p95", "p99") if name != "yield" else ("mean",)
        for quantile in quantiles:
            value = None if times is None else float(getattr(times, quantile))
            out.append(_row(f"{name} {quantile}", value, "ms", times.n if times else 0, of, "lower"))
    return out


def _rate_rows(figures: Sequence[Measures]) -> list[Row]:
    out = [_share(name, pooled(figures, rate), of, better) for name, rate, of, better in _RATES]
    false = pooled(figures, lambda m: m.false_interruptions)
    out.insert(3, _share("selectivity", Rate(hits=false.n - false.hits, n=false.n), "sounds", "higher"))
    cut_in = pooled(figures, lambda m: m.agent_interruptions)
    out.insert(4, _row("agent interruptions", cut_in.value, "a turn", cut_in.n, "turns", "lower"))
    scores = [score for each in figures for score in each.turn_scores]
    out.insert(5, _row("turn score", _mean(scores), "score", len(scores), "turns", "higher"))
    overlap_s = [each.overlap_ms / 1000 for each in figures]
    out.insert(6, _row("overlap", _mean(overlap_s), "s", len(figures), "calls", "lower"))
    return out


def _word_rows(figures: Sequence[Measures]) -> list[Row]:
    words = sum(each.words for each in figures)
    utterances = [rate for each in figures for rate in each.utterance_wer]
    flips = sum(each.negation_flips for each in figures)
    return [
        _row("WER pooled", word_error_rate(figures), "share", words, "words", "lower"),
        _row("WER mean", _mean(utterances), "share", len(utterances), "utterances", "lower"),
        _share("negation flips", Rate(hits=flips, n=len(utterances)), "utterances", "lower"),
    ]


def _count_rows(figures: Sequence[Measures]) -> list[Row]:
    return [
        _row(name, float(sum(map(count, figures))) if figures else None, "count", len(figures), "calls", "lower")
        for name, count in _COUNTS
    ]


def word_error_rate(figures: Iterable[Measures]) -> float | None:
    """Pooled: all errors over all words; None without words."""
    every = list(figures)
    words = sum(each.words for each in every)
    return sum(each.substituted + each.deleted + each.inserted for each in every) / words if words else None


def _share(name: str, rate: Rate, of: str, better: Better) -> Row:
    low, high = wilson(rate.hits, rate.n) or (None, None)
    return _row(name, rate.value, "share", rate.n, of, better).model_copy(update={"low": low, "high": high})


def _row(name: str, value: float | None, unit: Unit, n: int, of: str, better: Better) -> Row:
    return Row(metric=name, value=value, unit=unit, n=n, of=of, few=n < FEW, better=better)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
