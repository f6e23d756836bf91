"""From one sample rate to another, a clause at a time."""

from __future__ import annotations

import numpy as np
import soxr


class Resampler:
    """Streams one clause of s16le mono from `from_hz` to `to_hz`. Equal rates pass through untouched."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = from_hz
        self._stream = None
        if from_hz != to_hz:
            # Given integers, soxr adds dither that depends on how the sound is cut into pieces.
            self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ")

    def __call__(self, pcm: bytes, *, last: bool = False) -> bytes:
        """The next samples; `last` also returns what the filter still holds."""
        if self._stream is None:
            return pcm
        samples = self._stream.resample_chunk(np.frombuffer(pcm, np.int16).astype(np.float32), last=last)
        return bytes(np.rint(samples).clip(-32768, 32767).astype(np.int16).tobytes())
