"""What is wrong with the caller's audio, where it can be told from the audio alone: too quiet, clipped, with holes in
it, or from a telephone where the line could carry more.

The audio is looked at half a second at a time, some 5 microseconds for each 20 ms of it. What is found is told once,
and again only after it had become good in between.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from voicebot.media import Floats, Samples
from voicebot.media.duplex import SILENT_DB

Kind = Literal["too_quiet", "clipping", "dropouts", "narrowband"]
Tell = Callable[[Kind, float], object]
"""(what is wrong, how much of it: see `voicebot.events.AudioNotice`)."""

BLOCK_S = 0.5
_WIDEBAND_HZ = 16000
_SPECTRUM = 4096
"""Samples of a block whose spectrum is looked at."""
_FULL = 32000
"""Near full scale. The loudest that a telephone's mu-law can say is 32124."""
_HOLE_MS = (8, 400)
"""Exact silence for so long, amid sound, is a hole; longer, somebody has muted the line."""
_EDGE = 650
"""A hole begins and ends in sound at least so strong (-34 dB); speech that stops by itself fades out before."""
_LATE_S = 0.08
"""Audio that never comes: the line falls behind the clock by more than that, and stays behind."""


@dataclass(frozen=True)
class _Limit:
    """From which value on it is bad, up to which one it is good again, and over how many blocks it is measured."""

    bad: float
    good: float
    blocks: int
    below: bool = False
    """Whether small values are the bad ones."""

    def is_bad(self, value: float) -> bool:
        return value < self.bad if self.below else value > self.bad

    def is_good(self, value: float) -> bool:
        return value > self.good if self.below else value < self.good


LIMITS: dict[Kind, _Limit] = {
    "too_quiet": _Limit(-45.0, -41.0, 4, below=True),
    "clipping": _Limit(0.2, 0.02, 4),
    "dropouts": _Limit(100.0, 1.0, 20),
    "narrowband": _Limit(-54.0, -48.0, 6, below=True),
}
"""In the units of the notices. All but dropouts are measured over blocks in which the caller speaks."""


class Quality:
    """One caller's audio. `hear` takes it as it comes; `tell` is called from within."""

    def __init__(self, rate_hz: int, tell: Tell) -> None:
        self._rate_hz = rate_hz
        self._tell = tell
        self._block = bytearray()
        self._size = 2 * int(BLOCK_S * rate_hz)
        self._spoke = 0
        self._holes = _Holes(rate_hz)
        self._delivery = _Delivery(rate_hz)
        self._told: set[Kind] = set()
        kinds = [kind for kind in LIMITS if kind != "narrowband" or rate_hz >= _WIDEBAND_HZ]
        self._seen: dict[Kind, deque[tuple[float, float]]] = {kind: deque(maxlen=LIMITS[kind].blocks) for kind in kinds}
        """(part, whole) of the newest blocks."""
        self._window = np.hanning(_SPECTRUM).astype(np.float32)

    def hear(self, pcm: bytes, *, speaking: bool, now_s: float) -> None:
        """The next s16le mono samples, which arrived at `now_s`; `speaking`: the VAD hears the caller."""
        self._delivery.came(len(pcm) // 2, now_s)
        self._block += pcm
        self._spoke += len(pcm) if speaking else 0
        while len(self._block) >= self._size:
            samples = np.frombuffer(bytes(self._block[: self._size]), np.int16)
            del self._block[: self._size]
            self._look(samples, speaks=2 * self._spoke >= self._size)
            self._spoke = 0

    def _look(self, samples: Samples, *, speaks: bool) -> None:
        self._note("dropouts", self._holes.lost_ms(samples) + self._delivery.lost_ms(), 1)
        if not speaks:
            return
        floats = samples.astype(np.float32)
        self._note("too_quiet", float(np.dot(floats, floats)), len(floats) * 32768.0**2)
        hot = np.abs(floats) >= _FULL
        self._note("clipping", float(np.count_nonzero(hot[1:] & hot[:-1])), len(hot))
        if "narrowband" in self._seen:
            self._note("narrowband", *self._bands(floats))

    def _bands(self, floats: Floats) -> tuple[float, float]:
        """Power above 4.3 kHz, and between 0.3 and 3.4 kHz."""
        power = np.abs(np.fft.rfft(floats[:_SPECTRUM] * self._window)) ** 2
        a_hz = len(power) / (self._rate_hz / 2)
        upper, lower = power[int(4300 * a_hz) : int(7600 * a_hz)], power[int(300 * a_hz) : int(3400 * a_hz)]
        return float(upper.sum()), float(lower.sum())

    def _note(self, kind: Kind, part: float, whole: float) -> None:
        seen, limit = self._seen[kind], LIMITS[kind]
        seen.append((part, whole))
        if kind != "dropouts" and len(seen) < limit.blocks:
            return
        level = _level(kind, sum(part for part, _ in seen), sum(whole for _, whole in seen))
        if kind in self._told:
            if limit.is_good(level):
                self._told.discard(kind)
        elif limit.is_bad(level):
            self._told.add(kind)
            self._tell(kind, round(level, 1))


def _level(kind: Kind, part: float, whole: float) -> float:
    """In the unit of the notice."""
    if kind == "dropouts":
        return part
    if kind == "clipping":
        return 100 * part / whole
    return max(SILENT_DB, 10 * math.log10(part / whole)) if part and whole else SILENT_DB


class _Holes:
    """Finds exact silence that begins and ends in the middle of sound."""

    def __init__(self, rate_hz: int) -> None:
        self._shortest, self._longest = (rate_hz * ms // 1000 for ms in _HOLE_MS)
        self._edge = max(4, rate_hz // 1000)
        self._rate_hz = rate_hz
        self._left = np.zeros(0, np.int16)
        """The end of the last block, from the last sound on: a hole may go on in the next."""

    def lost_ms(self, samples: Samples) -> float:
        """The length of all holes that end in these samples."""
        samples = np.concatenate((self._left, samples))
        sound = np.flatnonzero(samples)
        self._left = self._rest(samples, int(sound[-1]) if len(sound) else 0)
        gaps = np.diff(sound)
        found = np.flatnonzero((gaps > self._shortest) & (gaps <= self._longest))
        lost = sum(int(gaps[index]) for index in found if self._is_cut(samples, sound[index], sound[index + 1]))
        return lost * 1000 / self._rate_hz

    def _rest(self, samples: Samples, last: int) -> Samples:
        return samples[max(0, last - self._edge) :] if len(samples) - last <= self._longest else samples[:0]

    def _is_cut(self, samples: Samples, before: int, after: int) -> bool:
        edges = samples[max(0, before - self._edge) : before + 1], samples[after : after + self._edge]
        return all(int(np.abs(edge.astype(np.int32)).max()) >= _EDGE for edge in edges)


class _Delivery:
    """Compares the audio that came with the time that passed. Late audio comes in the end; lost audio does not."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._samples = 0
        self._since_s: float | None = None
        self._lag_s = 0.0
        """The least by which the line was behind, in this block."""
        self._before_s: float | None = None
        """The same of the block before."""

    def came(self, samples: int, now_s: float) -> None:
        self._samples += samples
        if self._since_s is None:
            self._since_s = now_s - samples / self._rate_hz
            self._lag_s = math.inf
        self._lag_s = min(self._lag_s, now_s - self._since_s - self._samples / self._rate_hz)

    def lost_ms(self) -> float:
        """What is missing since this was last asked."""
        lag_s, before_s = self._lag_s, self._before_s
        self._lag_s, self._before_s = math.inf, lag_s
        if before_s is None or lag_s - before_s < _LATE_S:
            return 0.0
        return (lag_s - before_s) * 1000
