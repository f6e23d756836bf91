"""Sound that plays: on this machine's loudspeaker where there is one, in silence otherwise; time goes on alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voicebot.errors import BadInput, VoicebotError
from voicebot.evals.report import sound
from voicebot.transports import cards
from voicebot.transports.cards import Stream

_BLOCK_MS = 20

Heard = tuple[npt.NDArray[np.int16], int]
"""Mono samples, and how many a second."""


def recorded(path: Path) -> Heard:
    """Both sides of a recording. Raises BadInput."""
    heard = sound.read(path)
    if heard is None:
        raise BadInput("its recording cannot be read.")
    samples, rate_hz = heard
    return (samples.mean(axis=1) * 32767).astype(np.int16), rate_hz


class Player:
    """`position_ms` is what is heard now. It stops by itself at the end."""

    def __init__(
        self, source: Callable[[], Heard] | None, length_ms: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`source` is asked for the sound once, by `open`; None where there is none."""
        self.length_ms = length_ms
        self.playing = False
        self.silent = "" if source else "a typed call has no sound"
        """Why nothing is heard; '' where something is."""
        self._source = source
        self._clock = clock
        self._stream: Stream | None = None
        self._pcm: npt.NDArray[np.int16] = np.zeros(0, np.int16)
        self._rate_hz = 0
        self._at = 0
        """The next sample for the loudspeaker."""
        self._from_ms = 0.0
        self._began_s = 0.0

    def open(self) -> None:
        """Get hold of the loudspeaker; blocks for a moment. Without one `silent` says why."""
        if self._source is None or self._stream is not None or self.silent:
            return
        try:
            self._pcm, self._rate_hz = self._source()
            known = cards.cards()
            device = cards.choose(known.devices(), "output", None)
            self._stream = known.speak(device, self._rate_hz, self._rate_hz * _BLOCK_MS // 1000, self._give)
        except VoicebotError as error:
            self.silent = str(error).partition(". ")[0].rstrip(".")

    @property
    def position_ms(self) -> float:
        if not self.playing:
            return self._from_ms
        if self._stream is not None:
            heard_ms = self._at * 1000 / self._rate_hz - self._stream.latency_s * 1000
            at_ms = max(heard_ms, self._from_ms)
        else:
            at_ms = self._from_ms + (self._clock() - self._began_s) * 1000
        if at_ms >= self.length_ms:
            self.playing, self._from_ms = False, self.length_ms
        return min(at_ms, self.length_ms)

    def play(self) -> None:
        if self._from_ms >= self.length_ms:
            self._from_ms = 0.0
        self._from(self._from_ms)
        self.playing = True

    def pause(self) -> None:
        self._from_ms, self.playing = self.position_ms, False

    def seek(self, at_ms: float) -> None:
        """Playing or not, it goes on from there."""
        self._from(min(max(at_ms, 0.0), self.length_ms))

    def close(self) -> None:
        self.pause()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _from(self, at_ms: float) -> None:
        self._from_ms, self._began_s = at_ms, self._clock()
        self._at = int(at_ms * self._rate_hz / 1000)

    def _give(self, size: int) -> bytes:
        """Called from the sound card's thread."""
        if not self.playing:
            return bytes(size)
        piece = self._pcm[self._at : self._at + size // 2]
        self._at += size // 2
        return piece.tobytes().ljust(size, b"\0")
