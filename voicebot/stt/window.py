"""The sound of one stretch of speech that has not been turned into words for good, and where in it somebody speaks.

A moment is loud when it stands out from the quiet of this very stretch (its pre-roll has some) and is not far below its
loudest; with noise nearly as loud as the voice, everything counts as loud, and nothing is concluded from quiet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicebot.media import to_floats

_FRAME_MS = 20
_FLOOR = 1e-4
"""The level of digital silence, as a share of full scale."""
_QUIET_SHARE = 10
"""The quietest such percentage of a stretch is its background."""
_ABOVE_BACKGROUND, _BELOW_LOUDEST, _AT_MOST = 3.0, 0.03, 0.25
"""Loud: so many times the background and such a share of the loudest, though never more than the last share of it."""
_CUT_OVER_MS = 200
_Indices = npt.NDArray[np.intp]


class Window:
    """Positions are in samples from the start of the stretch, and stay the same when its beginning is dropped."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.start = 0
        """The first sample that is still here."""
        self._pcm = bytearray()
        self._frame = rate_hz * _FRAME_MS // 1000
        self._levels: list[float] = []
        self._found: _Indices | None = None

    def add(self, pcm: bytes) -> None:
        """The next s16le samples, any length, odd ones too."""
        self._pcm += pcm
        for begin in range(len(self._levels) * self._frame * 2, len(self._pcm) - self._frame * 2 + 1, self._frame * 2):
            samples = to_floats(bytes(self._pcm[begin : begin + self._frame * 2]))
            self._levels.append(float(np.sqrt(np.mean(samples * samples))))
            self._found = None

    @property
    def end(self) -> int:
        return self.start + len(self._pcm) // 2

    @property
    def seconds(self) -> float:
        """How much sound there is."""
        return len(self._pcm) / 2 / self.rate_hz

    @property
    def loud_until(self) -> int:
        """Where the last loud moment ends; `start` when there was none."""
        loud = self._loud()
        return self.start + (int(loud[-1]) + 1) * self._frame if len(loud) else self.start

    @property
    def loud_ms(self) -> float:
        return len(self._loud()) * _FRAME_MS

    @property
    def quiet_ms(self) -> float:
        """How long it has been quiet by now."""
        return (self.end - self.loud_until) * 1000 / self.rate_hz

    def sound(self, until: int) -> bytes:
        """From the start of the window, s16le."""
        return bytes(self._pcm[: (until - self.start) * 2])

    def best_cut(self, earliest_s: float, latest_s: float) -> int:
        """The middle of the quietest moment between two times from the window's start."""
        frames = [int(second * 1000 / _FRAME_MS) for second in (earliest_s, latest_s)]
        around = _CUT_OVER_MS // _FRAME_MS
        levels = np.convolve(self._levels[frames[0] : frames[1]], np.ones(around) / around, mode="valid")
        return self.start + (frames[0] + int(np.argmin(levels)) + around // 2) * self._frame

    def drop(self, until: int) -> None:
        """Forget what lies before `until`, a position that `best_cut` gave."""
        frames = (until - self.start) // self._frame
        del self._pcm[: frames * self._frame * 2]
        del self._levels[:frames]
        self.start += frames * self._frame
        self._found = None

    def _loud(self) -> _Indices:
        """The frames that are loud."""
        if self._found is None:
            self._found = self._find() if self._levels else np.zeros(0, np.intp)
        return self._found

    def _find(self) -> _Indices:
        levels = np.array(self._levels)
        loudest, background = float(levels.max()), max(_FLOOR, float(np.percentile(levels, _QUIET_SHARE)))
        threshold = max(_FLOOR * 3, _BELOW_LOUDEST * loudest, min(_ABOVE_BACKGROUND * background, _AT_MOST * loudest))
        return np.flatnonzero(levels > threshold)
