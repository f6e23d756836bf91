"""One stretch of a caller's speech, from samples to words, and what is remembered of the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from pocketsphinx import Decoder

from voicebot.stt import loudness
from voicebot.stt.cepstra import TYPICAL, Cepstra, Floats
from voicebot.stt.compiled import Model

_HELD_BACK_S = 0.6
"""Before it is known how loud a caller is, so much is listened to first: the pre-roll and the first syllable."""
_STEP_FRAMES = 5
_TYPICAL_WEIGHT, _CALLER_WEIGHT = 200, 2000
"""Frames of 10 ms: what the typical mean counts beside a caller's own, and how long a caller's is remembered."""


class Caller:
    """How one caller sounds: loudness, and the mean of the cepstra, which stands for voice, microphone and line."""

    def __init__(self) -> None:
        self.loudness = 0.0
        self._sum = TYPICAL * _TYPICAL_WEIGHT
        self._weight = float(_TYPICAL_WEIGHT)

    def heard(self, frames: Floats, loudness: float) -> None:
        """Remember a whole stretch."""
        keep = min(1.0, _CALLER_WEIGHT / self._weight)
        self._sum = self._sum * keep + frames.sum(axis=0)
        self._weight = self._weight * keep + len(frames)
        self.loudness = (self.loudness * loudness) ** 0.5 if self.loudness else loudness

    @property
    def mean(self) -> str:
        """As PocketSphinx takes it."""
        return ",".join(f"{value:.4f}" for value in self._sum / self._weight)


class Stretch:
    """One stretch of speech and the decoder it has on loan. Used from worker threads, one job at a time."""

    def __init__(self, model: Callable[[], Model], rate_hz: int, caller: Caller) -> None:
        self._model = model
        self._rate_hz = rate_hz
        self._caller = caller
        self._sound = bytearray()
        self._cepstra: Cepstra | None = None
        self._frames: list[Floats] = []
        self._lock = threading.Lock()
        self._decoder: Decoder | None = None
        self._over = False

    def hear(self, pcm: bytes) -> str:
        """The next s16le samples -> the words so far."""
        with self._lock:
            if self._over:
                return ""
            self._sound += pcm
            held_back = _HELD_BACK_S * self._rate_hz * 2
            if self._cepstra or self._caller.loudness or len(self._sound) >= held_back:
                self._take(pcm if self._cepstra else bytes(self._sound))
            return self._words()

    def end(self) -> str:
        """The stretch is over -> its words."""
        with self._lock:
            if not self._over and not self._cepstra:
                self._take(bytes(self._sound))
            if self._over or self._decoder is None:
                return ""
            self._decoder.end_utt()
            words = self._words()
            self._give_back(self._decoder)
            self._caller.heard(np.concatenate(self._frames), loudness.of(bytes(self._sound), self._rate_hz))
            return words

    def abandon(self) -> None:
        """The stretch will not be ended; does nothing when it has been."""
        with self._lock:
            if self._decoder is not None and not self._over:
                self._decoder.end_utt()
                self._give_back(self._decoder)
            self._over = True

    def _take(self, pcm: bytes) -> None:
        if not self._cepstra:
            loud = self._caller.loudness or loudness.of(pcm, self._rate_hz)
            self._cepstra = Cepstra(self._rate_hz, loudness.gain(loud))
        frames = self._cepstra.feed(pcm)
        for start in range(0, len(frames), _STEP_FRAMES):
            self._step(frames[start : start + _STEP_FRAMES])

    def _step(self, frames: Floats) -> None:
        decoder = self._decoder or self._borrowed()
        # The first frames are only stored: that makes PocketSphinx grow its buffer, which else loses frames.
        decoder.process_cep(frames.astype("<f4").tobytes(), not self._frames, False)
        self._frames.append(frames)

    def _borrowed(self) -> Decoder:
        self._decoder = self._model().lend()
        self._decoder.set_cmn(self._caller.mean)
        self._decoder.start_utt()
        return self._decoder

    def _words(self) -> str:
        hypothesis = self._decoder.hyp() if self._decoder is not None else None
        return str(hypothesis.hypstr) if hypothesis else ""

    def _give_back(self, decoder: Decoder) -> None:
        self._model().take_back(decoder)
        self._over = True
