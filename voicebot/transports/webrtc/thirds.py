"""From 48 kHz to 16 kHz, every sample as soon as it can be known.

A low-pass of 97 taps (Hamming) of which every third output is taken: 1 ms late, always. soxr, which the package uses
for clauses, holds up to 38 ms of a stream back at its usual quality (20 ms at its lowest), and all of a conversation's
answers would come so much later. 15 microseconds for 20 ms of sound.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from voicebot.media import Floats

_FROM_HZ = 48000
_STEP = 3
_TAPS = 97
_PASS_HZ = 7300


def _low_pass() -> Floats:
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _PASS_HZ / _FROM_HZ * at) * np.hamming(_TAPS)
    floats: Floats = np.asarray(taps / taps.sum(), np.float32)
    return floats


_LOW_PASS = _low_pass()


class Thirds:
    """One stream."""

    def __init__(self) -> None:
        self._rest = np.zeros(_TAPS - _STEP, np.float32)

    def __call__(self, pcm: bytes) -> bytes:
        """The next s16le mono samples at 48 kHz, of which there may be any number: a third of them."""
        samples = np.concatenate((self._rest, np.frombuffer(pcm, np.int16).astype(np.float32)))
        count = max(0, (len(samples) - _TAPS + _STEP) // _STEP)
        self._rest = samples[_STEP * count :]
        if not count:
            return b""
        filtered = sliding_window_view(samples, _TAPS)[: _STEP * count : _STEP] @ _LOW_PASS
        return bytes(np.rint(filtered).clip(-32768, 32767).astype(np.int16).tobytes())
