"""Both directions of a sound card, block by block: what the loudspeaker plays next, what the microphone really heard.

The sound card calls `microphone` and `loudspeaker` from threads of its own; the rest is called on the event loop.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Protocol

import numpy as np

SILENT_DB = -96.0
"""The level of digital silence (s16)."""


class Canceller(Protocol):
    """Takes the loudspeaker's echo out of the microphone; see `voicebot.media.echo`."""

    def loudspeaker(self, pcm: bytes) -> None: ...

    def microphone(self, pcm: bytes) -> bytes: ...


class Duplex:
    """What is queued for the loudspeaker, how much of it was heard, and the microphone without its echo.

    Audio is s16le mono at `rate_hz`. `latency_s` is how long the sound card holds a block until it sounds.
    """

    def __init__(self, rate_hz: int, canceller: Canceller | None = None, latency_s: float = 0.0) -> None:
        self.rate_hz = rate_hz
        self.latency_s = latency_s
        self.muted = False
        """The caller is not heard."""
        self.microphone_db = SILENT_DB
        """Level of the newest block, dB below full scale, echo taken out."""
        self.loudspeaker_db = SILENT_DB
        self._canceller = canceller
        self._queue = bytearray()
        self._lock = threading.Lock()
        self._taken = 0
        self._sounding: deque[tuple[int, int]] = deque()
        """(samples, of those the agent's) of the newest blocks: with the sound card, not yet heard."""

    def play(self, pcm: bytes) -> None:
        """Queue audio for the loudspeaker."""
        with self._lock:
            self._queue += pcm

    def clear(self) -> None:
        """Drop what the sound card has not taken; what it holds (`latency_s`) still sounds."""
        with self._lock:
            self._queue.clear()

    def played(self) -> int:
        """Samples of queued audio heard so far."""
        with self._lock:
            return self._taken - sum(agent for _, agent in self._sounding)

    def microphone(self, pcm: bytes) -> bytes:
        """A block from the microphone: what the caller said in it."""
        clean = self._canceller.microphone(pcm) if self._canceller else pcm
        self.microphone_db = level_db(clean)
        return bytes(len(clean)) if self.muted else clean

    def loudspeaker(self, size: int) -> bytes:
        """The next `size` bytes to play, silence where nothing is queued."""
        with self._lock:
            pcm = bytes(self._queue[:size])
            del self._queue[:size]
            self._taken += len(pcm) // 2
            self._sounding.append((size // 2, len(pcm) // 2))
            held = sum(samples for samples, _ in self._sounding)
            while self._sounding and held - self._sounding[0][0] >= self.latency_s * self.rate_hz:
                held -= self._sounding.popleft()[0]
        pcm = pcm.ljust(size, b"\0")
        if self._canceller:
            self._canceller.loudspeaker(pcm)
        self.loudspeaker_db = level_db(pcm)
        return pcm


def level_db(pcm: bytes) -> float:
    """Root mean square of s16le audio in dB below full scale."""
    if not pcm:
        return SILENT_DB
    rms = math.sqrt(float(np.mean(np.square(np.frombuffer(pcm, np.int16), dtype=np.float64))))
    return max(SILENT_DB, 20 * math.log10(rms / 32768)) if rms else SILENT_DB
