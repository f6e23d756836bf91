"""The sound of a simulated caller: text to samples at the line's rate."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import soxr

from voicebot.tts import Speech
from voicebot.tts.espeak import Espeak

from .persona import Voice

_PAUSE_S = 0.35
"""What '...' in a phrase is worth: hesitating, without giving up the turn."""


class CallerVoice:
    """One caller's eSpeak NG voice at `rate_hz`."""

    def __init__(self, voice: Voice, rate_hz: int) -> None:
        self._tts = Espeak(voice.engine, voice.rate_wpm, voice.pitch)
        self._rate_hz = rate_hz

    async def load(self) -> None:
        """Raises BadInput when there is no such voice, Unavailable when eSpeak NG cannot start."""
        await self._tts.load()

    async def say(self, text: str) -> bytes:
        """`text` as s16le mono; '...' is a short pause."""
        parts = [part for part in re.split(r"\.\.\.|\u2026", text) if part.strip()]
        spoken = [await self._part(part) for part in parts]
        pause = bytes(2 * int(_PAUSE_S * self._rate_hz))
        return pause.join(spoken)

    async def _part(self, text: str) -> bytes:
        chunks: list[Speech] = [chunk async for chunk in self._tts.speak(text)]
        if not chunks:
            return b""
        samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), np.int16)
        loop = asyncio.get_running_loop()
        resampled = await loop.run_in_executor(None, soxr.resample, samples, chunks[0].rate_hz, self._rate_hz)
        return bytes(resampled.astype(np.int16).tobytes())
