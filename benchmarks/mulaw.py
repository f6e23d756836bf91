"""G.711 mu-law by table lookup (ITU-T G.711): the sound of a telephone line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_CLIP, _BIAS = 32635, 0x84


def _decoded() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = ((mantissa.astype(np.int32) << 3) + _BIAS << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoded() -> npt.NDArray[np.uint8]:
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(samples < 0, 0x80, 0)
    return np.asarray(~(sign | (exponent << 4) | mantissa)).astype(np.uint8)


_DECODE, _ENCODE = _decoded(), _encoded()


def decode(mulaw: bytes) -> bytes:
    """mu-law -> s16le."""
    return _DECODE[np.frombuffer(mulaw, np.uint8)].tobytes()


def encode(pcm: bytes) -> bytes:
    """s16le -> mu-law."""
    return _ENCODE[np.frombuffer(pcm, np.uint16)].tobytes()
