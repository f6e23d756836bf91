"""How loud a caller is, so that a quiet microphone is heard as well as a loud one."""

from __future__ import annotations

import numpy as np

TARGET = 7000.0
"""What the louder parts of speech are brought to: effective value in s16 steps."""

_SLICE_S = 0.02
_LOUDER_PART = 90
"""Percentile of the slices that counts as the loudness: silence before and after does not."""
_LEAST, _MOST = 0.25, 30.0


def of(pcm: bytes, rate_hz: int) -> float:
    """The effective value of the louder parts of s16le samples; 0 for less than a slice."""
    size = int(_SLICE_S * rate_hz)
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    slices = samples[: len(samples) // size * size].reshape(-1, size)
    return float(np.percentile(np.sqrt((slices**2).mean(axis=1)), _LOUDER_PART)) if len(slices) else 0.0


def gain(loudness: float) -> float:
    """What to multiply samples of that loudness by."""
    return float(np.clip(TARGET / max(loudness, 1.0), _LEAST, _MOST))
