"""What a `Line` does to a caller's sound on its way to the agent, 20 ms at a time.

    medium = LineMedium(LINES["street"], seed=1)
    medium.carry(pcm)       # up to 20 ms of speech, or b"" while the caller is silent -> 20 ms as they arrive

The same line and seed give the same sound. About 20 microseconds a packet, a thousandth of the time it carries.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from voicebot.media import mulaw

from . import noise
from .line import Line, Loss

PACKET_MS = 20
_FAINT_DB = -66.0
"""The noise of a line that has none, in decibels below full scale: no line is silent."""
_TAPS = 63
_FADES_TO = (0.7, 0.4, 0.15)
"""What is left of the last packet in each lost one after it; then there is silence."""


class LineMedium:
    """One call's way from the caller's mouth to the agent's ear."""

    def __init__(self, line: Line, seed: int = 0) -> None:
        self.rate_hz = line.rate_hz
        self._line = line
        self._size = line.rate_hz * PACKET_MS // 1000
        self._gain = 10 ** (line.gain_db / 20)
        self._noise = _noise(line)
        dice = random.Random(seed)  # noqa: S311 - dice, not secrets
        self._at = dice.randrange(len(self._noise))
        self._handset = _low_pass(line.muffled_hz, line.rate_hz) if line.muffled_hz else None
        self._before = np.zeros(_TAPS - 1, np.float32)
        self._network = _Network(line.loss, dice.randrange(1 << 32)) if line.loss else None

    def carry(self, speech: bytes) -> bytes:
        """20 ms as they arrive: `speech` (s16le mono, not longer than that) and the noise around it."""
        packet = self._next_noise()
        if speech:
            said = np.frombuffer(speech, "<i2")
            packet[: len(said)] += said
        if self._handset is not None:
            heard = np.concatenate([self._before, packet])
            self._before = heard[-len(self._before) :]
            packet = np.convolve(heard, self._handset, "valid")
        samples = np.clip(packet * self._gain, -32768, 32767).astype(np.int16)
        if self.rate_hz == 8000:
            samples = mulaw.round_trip()[samples.view(np.uint16)]
        return (self._network.deliver(samples) if self._network else samples).tobytes()

    def _next_noise(self) -> NDArray[np.float32]:
        places = range(self._at, self._at + self._size)
        self._at = places.stop % len(self._noise)
        return self._noise.take(places, mode="wrap")


def carried(pcm: bytes, line: Line, seed: int = 0) -> bytes:
    """A whole stretch of speech (s16le mono at the line's rate) as it arrives, to the full packet."""
    medium, step = LineMedium(line, seed), 2 * line.rate_hz * PACKET_MS // 1000
    return b"".join(medium.carry(pcm[start : start + step]) for start in range(0, len(pcm), step))


class _Network:
    """Loses packets in bursts: the two-state model of Gilbert (Bell System Technical Journal 39, 1960)."""

    def __init__(self, loss: Loss, seed: int) -> None:
        share = loss.percent / 100
        self._recovers = 1 / loss.burst
        self._breaks = min(1.0, self._recovers * share / (1 - share))
        self._conceals = loss.conceal
        self._dice = random.Random(seed)  # noqa: S311 - dice, not secrets
        self._lost = 0
        """Packets lost in a row until now."""
        self._last: NDArray[np.int16] | None = None

    def deliver(self, packet: NDArray[np.int16]) -> NDArray[np.int16]:
        """The packet, or what the receiver plays instead."""
        bad = self._dice.random() < (1 - self._recovers if self._lost else self._breaks)
        self._lost = self._lost + 1 if bad else 0
        if not bad:
            self._last = packet
            return packet
        if self._last is None or not self._conceals or self._lost > len(_FADES_TO):
            return np.zeros_like(packet)
        return (self._last * _FADES_TO[self._lost - 1]).astype(np.int16)


def _noise(line: Line) -> NDArray[np.float32]:
    """The noise at its place in the chain, before the handset's gain."""
    if line.noise is None:
        faint = 10 ** ((_FAINT_DB - noise.SPEECH_DB) / 20)
        return noise.bed("white", line.rate_hz) * np.float32(faint)
    return noise.bed(line.noise.kind, line.rate_hz) * np.float32(10 ** (-line.noise.snr_db / 20))


def _low_pass(cutoff_hz: int, rate_hz: int) -> NDArray[np.float32]:
    """A windowed sinc; it delays by half its length, 2 ms at 16 kHz."""
    n = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(2 * cutoff_hz / rate_hz * n) * np.hamming(_TAPS)
    unity: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return unity
