"""G.711 mu-law, the code of telephone networks in North America and Japan: 8 bits a sample, louder is coarser.

Source: ITU-T G.711 (1988), tables 2a and 2b. Of a 16-bit sample the 14 upper bits count.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_BIAS, _CLIP = 33, 8158


def encode(pcm: bytes) -> bytes:
    """s16le mono as mu-law, one byte a sample."""
    return bytes(_codes()[np.frombuffer(pcm, "<u2")].tobytes())


def decode(coded: bytes) -> bytes:
    """mu-law as s16le mono."""
    return bytes(_samples()[np.frombuffer(coded, np.uint8)].tobytes())


@cache
def round_trip() -> NDArray[np.int16]:
    """What becomes of each sample, in one look-up: `round_trip()[samples.view(np.uint16)]`."""
    return _samples()[_codes()]


@cache
def _codes() -> NDArray[np.uint8]:
    """The code of each sample, by its bits as an unsigned number."""
    samples = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32) >> 2
    size = np.minimum(np.abs(samples), _CLIP) + _BIAS
    segment = np.floor(np.log2(size)).astype(np.int32) - 5
    step = (size >> (segment + 1)) & 0x0F
    code = ~((segment << 4) | step) & 0x7F
    codes: NDArray[np.uint8] = np.where(samples < 0, code, code | 0x80).astype(np.uint8)
    return codes


@cache
def _samples() -> NDArray[np.int16]:
    """The sample of each code."""
    code = ~np.arange(256, dtype=np.int32)
    size = ((((code & 0x0F) << 1) + _BIAS) << ((code >> 4) & 0x07)) - _BIAS
    return (np.where(code & 0x80, -size, size) << 2).astype(np.int16)
