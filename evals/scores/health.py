"""What is wrong with the agent's sound, found in the waveform: dropouts, clipping, loops, cut-offs.

These are faults of transport and playback, which a neural judge of naturalness does not hear. Each is a stretch of the
recording's agent channel, so that it can be played.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from .recording import Samples
from .spans import Span, Stretch, joined

HOLE_MS = (8.0, 400.0)
"""Exact silence for so long, amid sound, is a dropout; longer, it is a pause."""
EDGE = 650
"""A hole begins and ends in sound at least so strong (-34 dB): speech that stops by itself fades out before."""
EDGE_MS = 2.5
"""So near to the hole: whoever resamples behind it lets the sound ring into it. In 209 good calls nothing natural comes
so near; from 3 ms on, the closures of plosives do."""
RAIL = 32000
"""Near full scale. The loudest that a telephone's mu-law can say is 32124."""
RAIL_SAMPLES = 3
"""So many side by side are cut off; a single one may be a peak."""
LOOP_MS = (20.0, 1000.0)
"""A piece of sound of such a length that comes again at once, sample for sample, is a loop."""
LEAST_LOOP_MS = 40.0
"""How much of the repetition must be the same: two pieces of a steady vowel may resemble each other for less."""
SILENT = 60
"""Samples up to here (-55 dB) are silence."""
CUT_EDGE = 330
"""A cut-off stops from so high (-40 dB in its last millisecond) ..."""
CUT_FALL_DB = -14.0
"""... and its last 30 ms are no softer than this against its last 250: speech that ends by itself fades out. Measured
on 663 natural ends of eSpeak NG (-19 dB and softer, median -26) and 22 interruptions (-12 dB and louder)."""
CUT_SILENCE_MS = 100.0
"""What follows a cut-off is silent for so long at least."""
_WINDOW_MS = 10.0
_NEAR_MS = 20.0
_INTENDED_MS = 150.0
"""A cut-off so near to a moment at which the agent was told to be silent is no fault."""


def dropouts(samples: Samples, rate_hz: int, intended: Sequence[Stretch] = ()) -> list[Span]:
    """Holes of exact silence in the midst of sound, but for those that begin within `intended` pauses."""
    shortest, longest = (rate_hz * ms / 1000 for ms in HOLE_MS)
    edge = int(rate_hz * EDGE_MS / 1000)
    sound = np.flatnonzero(samples)
    gaps = np.diff(sound)
    found = []
    for index in np.flatnonzero((gaps > shortest) & (gaps <= longest)):
        before, after = int(sound[index]), int(sound[index + 1])
        edges = samples[max(0, before - edge) : before + 1], samples[after : after + edge]
        if all(int(np.abs(part.astype(np.int32)).max()) >= EDGE for part in edges):
            found.append(Span((before + 1) * 1000 / rate_hz, after * 1000 / rate_hz))
    return [hole for hole in found if not _during(intended, hole.starts_ms)]


def clipping(samples: Samples, rate_hz: int) -> list[Span]:
    """Stretches in which three samples side by side and more are at full scale; nearer than 20 ms they are one."""
    hot = np.abs(samples.astype(np.int32)) >= RAIL
    edges = np.flatnonzero(np.diff(np.concatenate(([0], hot.view(np.int8), [0]))))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    found = [Span(a * 1000 / rate_hz, b * 1000 / rate_hz) for a, b in runs if b - a >= RAIL_SAMPLES]
    return joined(found, _NEAR_MS)


def loops(samples: Samples, rate_hz: int, intended: Sequence[Stretch] = ()) -> list[Span]:
    """Pieces of sound that come again at once, sample for sample: a buffer that is played more than once; but for those
    that begin in `intended` stretches (a key of the telephone, pressed twice)."""
    window = int(rate_hz * _WINDOW_MS / 1000)
    shortest, longest = (int(rate_hz * ms / 1000) for ms in LOOP_MS)
    if len(samples) < 2 * window:
        return []
    prints = _fingerprints(samples, window)
    blocks = _loud_blocks(samples, window)
    if not len(blocks):
        return []
    known = np.unique(prints[blocks])
    same = known[np.minimum(np.searchsorted(known, prints), len(known) - 1)] == prints
    places: dict[int, list[int]] = {}
    for place in np.flatnonzero(same).tolist():
        places.setdefault(int(prints[place]), []).append(place)
    found: list[Span] = []
    end = 0
    for block in blocks.tolist():
        lags = (place - block for place in places[int(prints[block])] if shortest <= place - block <= longest)
        for lag in lags:
            first, last = _same(samples, block, lag)
            if block >= end and last - first >= max(lag, rate_hz * LEAST_LOOP_MS / 1000):
                found.append(Span(first * 1000 / rate_hz, (last + lag) * 1000 / rate_hz))
                end = last + lag
    return [loop for loop in joined(found, _NEAR_MS) if not _during(intended, loop.starts_ms)]


def cut_offs(samples: Samples, rate_hz: int, intended_ms: Iterable[float] = ()) -> list[Span]:
    """Moments at which speech stops in mid-sound and silence follows, but for those at which it was meant to stop.

    The span is the last 30 ms of the sound. A recording that ends in the midst of sound ends so because the call did:
    that is told by `ends_in_sound`.
    """
    sound = np.flatnonzero(np.abs(samples.astype(np.int32)) > SILENT)
    stops = sound[np.diff(sound, append=len(samples)) > rate_hz * CUT_SILENCE_MS / 1000].tolist()
    moments = list(intended_ms)
    found = []
    for last in stops:
        at_ms = (last + 1) * 1000 / rate_hz
        if _stops_short(samples[: last + 1], rate_hz) and not any(abs(at_ms - m) <= _INTENDED_MS for m in moments):
            found.append(Span(max(0.0, at_ms - 30), at_ms))
    return found


def ends_in_sound(samples: Samples, rate_hz: int) -> bool:
    """Whether the recording ends in the midst of sound."""
    tail = samples[-max(1, int(rate_hz * CUT_SILENCE_MS / 1000)) :].astype(np.int32)
    loud = np.flatnonzero(np.abs(tail) > SILENT)
    return bool(len(loud)) and _stops_short(samples[: len(samples) - len(tail) + int(loud[-1]) + 1], rate_hz)


def _stops_short(samples: Samples, rate_hz: int) -> bool:
    """Whether these samples, which end with the last sound, end without fading out."""
    end, tail, before = (samples[-max(1, int(rate_hz * ms / 1000)) :].astype(np.float64) for ms in (1, 30, 250))
    if np.abs(end).max() < CUT_EDGE:
        return False
    fall_db = 10 * np.log10(np.mean(np.square(tail)) / np.mean(np.square(before)))
    return bool(fall_db >= CUT_FALL_DB)


def _during(spans: Iterable[Stretch], moment_ms: float) -> bool:
    return any(span.starts_ms - _NEAR_MS <= moment_ms <= span.ends_ms + _NEAR_MS for span in spans)


def _fingerprints(samples: Samples, window: int) -> npt.NDArray[np.uint64]:
    """A number for each window of the samples, the same for the same sound (modulo 2**64, by prefix sums)."""
    base = 0x9E3779B97F4A7C15
    powers = _powers(base, len(samples))
    inverse = _powers(pow(base, -1, 2**64), len(samples))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(samples.astype(np.int64).view(np.uint64) * powers)))
    last = len(samples) - window + 1
    prints: npt.NDArray[np.uint64] = (sums[window:] - sums[:last]) * inverse[:last]
    return prints


def _powers(base: int, size: int) -> npt.NDArray[np.uint64]:
    factors = np.full(size, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


def _loud_blocks(samples: Samples, window: int) -> npt.NDArray[np.int64]:
    """Where the windows begin that are louder than -40 dB."""
    blocks = samples[: len(samples) // window * window].reshape(-1, window).astype(np.float64)
    loud = np.sqrt(np.mean(np.square(blocks), axis=1)) > 328
    return np.flatnonzero(loud) * window


def _same(samples: Samples, block: int, lag: int) -> tuple[int, int]:
    """The stretch around `block` in which every sample is the same as the one `lag` later; no longer than two lags."""
    low, high = max(0, block - lag), min(len(samples) - lag, block + 2 * lag)
    differs = np.flatnonzero(samples[low:high] != samples[low + lag : high + lag]) + low
    before, after = differs[differs < block], differs[differs >= block]
    return (int(before[-1]) + 1 if len(before) else low), (int(after[0]) if len(after) else high)
