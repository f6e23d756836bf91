"""The sound of a simulated caller: text to samples at the line's rate, all as loud as each other."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot.tts import Speech
from voicebot.tts.espeak import Espeak

from . import noise
from .persona import Voice

_PAUSE_S = 0.35
"""What '...' in a phrase is worth: hesitating, without giving up the turn."""
_SAMPLE = "hello, I would like to ask you something about next Thursday, please."
"""What a voice's own loudness is measured with."""
_STEP_DB = 0.5
"""A voice's gain is rounded to this, so that a sample more or less in the measurement changes nothing."""


class CallerVoice:
    """One caller's eSpeak NG voice at `rate_hz`, as loud as an ordinary caller (`noise.SPEECH_DB`) or as the voice
    says. eSpeak's own variants are up to 18 dB apart."""

    def __init__(self, voice: Voice, rate_hz: int) -> None:
        self._voice = voice
        self._tts = Espeak(voice.engine, voice.rate_wpm, voice.pitch, repeatable=True)
        self._rate_hz = rate_hz
        self._gain: float | None = None

    async def load(self) -> None:
        """Raises BadInput when there is no such voice, Unavailable when eSpeak NG cannot start."""
        await self._tts.load()
        await self._calibrate()

    async def say(self, text: str) -> bytes:
        """`text` as s16le mono; '...' is a short pause."""
        gain = await self._calibrate()
        parts = [part for part in re.split(r"\.\.\.|\u2026", text) if part.strip()]
        spoken = [await self._part(part) for part in parts]
        pause = np.zeros(int(_PAUSE_S * self._rate_hz), np.float32)
        joined = [piece for part in spoken for piece in (part, pause)][:-1]
        said = np.concatenate(joined) if joined else pause[:0]
        return _s16le(said * gain)

    async def _calibrate(self) -> float:
        """What brings this voice to the loudness it is to have."""
        if self._gain is None:
            measured = noise.level(await self._part(_SAMPLE), self._rate_hz)
            wanted_db = 20 * np.log10(noise.SPEECH_RMS / measured) if measured else 0.0
            self._gain = 10 ** ((round(wanted_db / _STEP_DB) * _STEP_DB + self._voice.loudness_db) / 20)
        return self._gain

    async def _part(self, text: str) -> NDArray[np.float32]:
        chunks: list[Speech] = [chunk async for chunk in self._tts.speak(text)]
        if not chunks:
            return np.zeros(0, np.float32)
        samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), np.int16).astype(np.float32)
        loop = asyncio.get_running_loop()
        resampled = await loop.run_in_executor(None, soxr.resample, samples, chunks[0].rate_hz, self._rate_hz)
        return np.asarray(resampled, np.float32)


def _s16le(samples: NDArray[np.floating]) -> bytes:
    return np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes()
