"""The sound of a call for a page: its outline as a path, and the recording itself as a data URI."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float32]
"""(samples, 2), -1 to 1: caller, agent."""

COLUMNS = 600
"""Most points of an outline: more than a screen shows of it."""
HEIGHT = 40
"""Units that each side's outline is high."""
_QUIETEST = 0.05
"""A channel whose loudest sample is below this is not blown up to full height: it is quiet, and shall look so."""
_COMPRESSION = 1.0
"""libsndfile's scale; at its end Vorbis takes about 30 kbit/s for a call at 16 kHz. Opus would do with 12, but takes
six times as long to write, a second and a half a call."""


def read(path: Path) -> tuple[Samples, int] | None:
    """The stereo recording and its rate in Hz; None for a file that holds none. A mono file is the caller's."""
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError):
        return None
    if not len(samples):
        return None
    if samples.shape[1] == 1:
        samples = np.concatenate([samples, np.zeros_like(samples)], axis=1)
    return samples[:, :2], rate_hz


def outline(channel: npt.NDArray[np.float32], whole: int, *, down: bool = False) -> str:
    """An SVG path of the loudness of one channel in a box COLUMNS wide; the line of silence is at y 0, and the path
    goes HEIGHT up, or down. `whole` is the number of samples that the box stands for."""
    columns = min(COLUMNS, max(1, whole))
    edges = np.linspace(0, whole, columns + 1).astype(int)[:-1]
    padded = np.zeros(whole, np.float32)
    padded[: len(channel)] = np.abs(channel[:whole])
    peaks = np.maximum.reduceat(padded, edges)
    scale = HEIGHT / max(_QUIETEST, float(peaks.max()))
    heights = np.rint(peaks * scale).astype(int) * (1 if down else -1)
    return _steps(heights.tolist(), COLUMNS / columns)


def _steps(heights: list[int], width: float) -> str:
    """A closed path of steps; a run of equal heights is one of them."""
    steps = ["M0 0"]
    for n, height in enumerate(heights):
        if n == 0 or height != heights[n - 1]:
            steps.append(f"H{n * width:g}V{height}")
    steps.append(f"H{len(heights) * width:g}V0Z")
    return "".join(steps)


def embedded(samples: Samples, rate_hz: int) -> str:
    """The recording as a data URI: Vorbis in Ogg, which every current browser plays."""
    written = io.BytesIO()
    soundfile.write(written, samples, rate_hz, format="OGG", subtype="VORBIS", compression_level=_COMPRESSION)
    return "data:audio/ogg;base64," + base64.b64encode(written.getvalue()).decode()
