"""The media plane: sound, 20 ms at a time, as plain function calls. No task switches, no pipeline, no screen."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
"""Samples in -1..1."""
Samples: TypeAlias = npt.NDArray[np.int16]


def to_floats(pcm: bytes) -> Floats:
    """s16le bytes -> samples in -1..1."""
    return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)


def to_pcm(samples: Floats) -> bytes:
    """Samples in -1..1 (clipped) -> s16le bytes."""
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
