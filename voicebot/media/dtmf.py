"""Touch tones (DTMF) as sound in the call's own audio: two sines a key, as ITU-T Q.23 gives them.

Q.24 has receivers accept tones and pauses from 40 ms on; these are longer, for lines that lose some of it.
"""

from __future__ import annotations

import numpy as np

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477)
KEYS = ("123", "456", "789", "*0#")
"""Row by low frequency, column by high."""
TONE_MS = 100
GAP_MS = 70
PAUSE = "w"
PAUSE_MS = 500
_RAMP_MS = 4
"""Faded in and out for so long, so that it does not click."""
_PEAK = 0.2
"""Of full scale, each of the two: -14 dBFS, together about the -9 dBm that Q.24 expects at most of a line."""


def tones(keys: str, rate_hz: int) -> list[bytes]:
    """The sound of each of `keys` ('0'-'9', '*', '#', 'w'), the gap behind it included: s16le mono at `rate_hz`."""
    return [_silence(PAUSE_MS, rate_hz) if key == PAUSE else _tone(key, rate_hz) for key in keys]


def _tone(key: str, rate_hz: int) -> bytes:
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    low_hz, high_hz = LOW_HZ[row], HIGH_HZ[KEYS[row].index(key)]
    t = np.arange(rate_hz * TONE_MS // 1000) / rate_hz
    wave = _PEAK * (np.sin(2 * np.pi * low_hz * t) + np.sin(2 * np.pi * high_hz * t))
    ramp = np.minimum(1.0, np.minimum(t, t[::-1]) * 1000 / _RAMP_MS)
    return (wave * ramp * 32767).astype("<i2").tobytes() + _silence(GAP_MS, rate_hz)


def _silence(length_ms: int, rate_hz: int) -> bytes:
    return bytes(2 * (rate_hz * length_ms // 1000))
