"""Simulated callers' speech for measuring recognisers: eSpeak NG voices, clean or through a telephone."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot.media import mulaw
from voicebot.tts import espeakng

_LEVEL = 0.8
_BEFORE_S, _AFTER_S = 0.3, 0.25
"""The silence around a stretch of speech: the pre-roll, and what passes until the VAD is sure of the end."""


def spoken(text: str, voice: str, rate_wpm: int, rate_hz: int) -> bytes:
    """`text` as s16le mono at `rate_hz` with a stretch's silence around it."""
    chunks: list[bytes] = []

    def keep(pcm: bytes, _words: object) -> bool:
        chunks.append(pcm)
        return True

    espeakng.synthesise(text, espeakng.Voice(voice, rate_wpm, 50), keep, repeatable=True)
    samples = soxr.resample(np.frombuffer(b"".join(chunks), "<i2").astype(np.float32), espeakng.RATE_HZ, rate_hz)
    before, after = (np.zeros(int(silence_s * rate_hz)) for silence_s in (_BEFORE_S, _AFTER_S))
    return _s16le(np.concatenate([before, _without_end_pause(samples) * _LEVEL, after]))


def hissing_line(pcm: bytes) -> bytes:
    """The same samples after a telephone's mu-law."""
    return mulaw.decode(mulaw.encode(pcm))


def _without_end_pause(samples: NDArray[np.floating]) -> NDArray[np.floating]:
    loud = np.flatnonzero(np.abs(samples) > 200)
    return samples[: loud[-1] + 1] if len(loud) else samples


def _s16le(samples: NDArray[np.floating]) -> bytes:
    return np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes()
