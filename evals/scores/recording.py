"""The recording of a call, and where in it something can be heard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from voicebot.errors import BadInput

from .spans import Span, Stretch

Samples = npt.NDArray[np.int16]

FRAME_MS = 5.0
AUDIBLE_DB = -50.0
"""Of full scale: what is softer than this is silence."""
ABOVE_NOISE_DB = 10.0
"""On a line with noise, a sound stands out by this much."""


@dataclass(frozen=True)
class Recording:
    """`call.wav`: caller left, agent right."""

    caller: Samples
    agent: Samples
    rate_hz: int

    @classmethod
    def read(cls, path: Path) -> Recording:
        """Raises BadInput for a file that is no stereo recording."""
        try:
            samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise BadInput(f"{path} is not a recording ({error.error_string.rstrip('.')}).") from None
        if samples.shape[1] != 2:
            raise BadInput(f"{path} has {samples.shape[1]} channel. A call's recording has two: caller and agent.")
        return cls(np.ascontiguousarray(samples[:, 0]), np.ascontiguousarray(samples[:, 1]), int(rate_hz))


@dataclass(frozen=True)
class Activity:
    """Which 5 ms frames of a channel can be heard."""

    audible: npt.NDArray[np.bool_]

    def within(self, span: Stretch, slack_ms: float) -> Span | None:
        """From the first to the last audible frame of `span`, which may reach out by the slack; None without one."""
        first = max(0, int((span.starts_ms - slack_ms) / FRAME_MS))
        last = max(0, int(np.ceil((span.ends_ms + slack_ms) / FRAME_MS)))
        frames = np.flatnonzero(self.audible[first:last])
        if not len(frames):
            return None
        return Span((first + int(frames[0])) * FRAME_MS, (first + int(frames[-1]) + 1) * FRAME_MS)


def activity(samples: Samples, rate_hz: int, outside: Iterable[Stretch] = ()) -> Activity:
    """What of a channel can be heard: above -50 dB of full scale, and 10 dB above the noise of the line.

    The noise is the median level outside the stretches `outside`, in which somebody sounds; none without them.
    """
    levels = level_db(samples, rate_hz)
    quiet = np.ones(len(levels), bool)
    for span in outside:
        quiet[max(0, int(span.starts_ms / FRAME_MS) - 2) : int(np.ceil(span.ends_ms / FRAME_MS)) + 2] = False
    noise_db = float(np.median(levels[quiet])) if quiet.any() and not quiet.all() else -np.inf
    return Activity(levels > max(AUDIBLE_DB, noise_db + ABOVE_NOISE_DB))


def level_db(samples: Samples, rate_hz: int) -> npt.NDArray[np.float64]:
    """Root mean square of each 5 ms frame, in dB of full scale; a last frame that is not full is left out."""
    size = int(rate_hz * FRAME_MS / 1000)
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64) / 32768
    return np.asarray(10 * np.log10(np.maximum(np.mean(np.square(frames), axis=1), 1e-12)), np.float64)
