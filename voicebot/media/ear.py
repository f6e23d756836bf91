"""The ear of a call: the caller's audio in, stretches of speech out.

Every chunk a transport delivers passes through `Ear.audio`: it is kept for a few seconds (the recogniser wants some
audio from before the VAD was sure, Smart Turn wants the whole turn), scored by the VAD, and passed to whoever listens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voicebot.media import to_floats
from voicebot.media.vad import WINDOW_MS, Vad

KEEP_S = 8
"""Seconds of audio kept: as much as Smart Turn looks at."""


@dataclass(frozen=True)
class Sensitivity:
    """When sound is speech. Probabilities are Silero's."""

    start: float = 0.5
    stop: float = 0.35
    start_ms: int = 96
    """Speech must last this long to count: a click does not stop the agent."""
    pause_ms: int = 96
    """Silence must last this long to be a pause, at which the end of the turn may be near."""
    stop_ms: int = 192
    """Silence must last this long before the end of the turn is considered (Pipecat's default is 200 ms)."""


class Listener(Protocol):
    """Who acts on what the ear hears. Called on the event loop, in the order of the audio."""

    def heard(self, pcm: bytes) -> None:
        """The next audio, speech or not."""

    def speech_started(self, ago_ms: float) -> None:
        """The caller speaks, since `ago_ms` before the newest audio."""

    def pause_began(self) -> None:
        """The caller may be about to stop: they have been silent for a moment ..."""

    def pause_over(self) -> None:
        """... and speak on."""

    def speech_stopped(self, ago_ms: float) -> None:
        """The caller is silent, since `ago_ms` before the newest audio."""


class Ear:
    """One call's ear. `rate_hz` is 8000 or 16000."""

    def __init__(self, rate_hz: int, listener: Listener, sensitivity: Sensitivity | None = None) -> None:
        self.rate_hz = rate_hz
        self.speaking = False
        self._listener = listener
        self._sense = sensitivity or Sensitivity()
        self._vad = Vad(rate_hz, self._window)
        self._kept = bytearray()
        self._received = 0
        self._scored = 0
        self._run = 0
        """Windows in a row that speak against the present state."""

    def audio(self, pcm: bytes) -> None:
        """The next s16le mono samples of the caller, any length."""
        self._kept += pcm
        surplus = len(self._kept) - 2 * KEEP_S * self.rate_hz
        if surplus > self.rate_hz:  # trimmed in steps of half a second, not at every chunk
            del self._kept[:surplus]
        self._received += len(pcm) // 2
        self._listener.heard(pcm)
        self._vad.feed(to_floats(pcm))

    def last(self, ms: float) -> bytes:
        """The newest `ms` of audio (at most `KEEP_S` seconds)."""
        size = 2 * int(ms * self.rate_hz / 1000)
        return bytes(self._kept[-size:]) if size else b""

    def pause_to_come(self) -> bytes:
        """What a pause that has begun will sound like until it counts as silence: as up to now, backwards."""
        ms = self._sense.stop_ms - self._sense.pause_ms
        return np.frombuffer(self.last(ms), np.int16)[::-1].tobytes()

    def close(self) -> None:
        self._vad.close()

    def _window(self, probability: float) -> None:
        self._scored += self._vad.window
        against = probability < self._sense.stop if self.speaking else probability >= self._sense.start
        was_paused = self._paused
        self._run = self._run + 1 if against else 0
        enough_ms = self._sense.stop_ms if self.speaking else self._sense.start_ms
        if self._run * WINDOW_MS >= enough_ms:
            self._turned()
        elif self._paused and not was_paused:
            self._listener.pause_began()
        elif was_paused and not self._paused:
            self._listener.pause_over()

    @property
    def _paused(self) -> bool:
        return self.speaking and self._run * WINDOW_MS >= self._sense.pause_ms

    def _turned(self) -> None:
        """The caller begins to speak, or stops."""
        since = self._scored - self._run * self._vad.window
        ago_ms = (self._received - since) * 1000 / self.rate_hz
        self._run = 0
        self.speaking = not self.speaking
        if self.speaking:
            self._listener.speech_started(ago_ms)
        else:
            self._listener.speech_stopped(ago_ms)
