"""Mel-frequency cepstra as PocketSphinx's US English model was trained on, at 16 kHz or straight from 8 kHz.

Computed here rather than inside PocketSphinx because four things decide how well it hears a telephone call: a noise
floor (to it, digital silence is the logarithm of nothing), the mean that is subtracted (see `sphinx`), what to believe
about the band that a telephone does not carry (see `upper_band`), and that its C code holds Python's lock throughout.
Parameters: the model's `feat.params`. Noise reduction: Doblinger, "Computationally efficient speech enhancement by
spectral minima tracking in subbands" (1995), with the temporal masking of Kim & Stern's PNCC (2012), as in training.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FRAMES_PER_S = 100
CEPSTRA = 13

_WINDOW_S = 0.025625
_PRE_EMPHASIS = 0.97
_FILTERS = 25
_LOWEST_HZ, _HIGHEST_HZ = 130.0, 6800.0
_HIGHEST_OF_A_TELEPHONE_HZ = 3800.0
_LIFTER = 22
_FLOOR = 60.0
"""Standard deviation, in s16 steps, of the noise under every signal."""
_SEED = 7

TYPICAL = np.array([57.3, -4.8, -1.6, 7.8, -7.9, -1.7, -8.4, -7.0, -4.2, -3.8, 3.0, -3.3, 0.3], np.float32)
"""The mean of speech, averaged over several voices."""


class Cepstra:
    """One stretch of speech at 8000 or 16000 Hz: s16le samples in, 13 cepstra for every 10 ms out."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._shift = rate_hz // FRAMES_PER_S
        self._size = round(_WINDOW_S * rate_hz)
        self._window = np.hamming(self._size).astype(np.float32)
        self._rest = np.zeros(0, np.float32)
        self._last = np.float32(0)
        self._chance = np.random.default_rng(_SEED)
        self._clean = _NoiseReduction()

    def feed(self, pcm: bytes) -> Floats:
        """The next samples -> the frames they complete, shape (frames, 13)."""
        self._take(np.frombuffer(pcm, "<i2"))
        count = max(0, (len(self._rest) - self._size) // self._shift + 1)
        if not count:
            return np.zeros((0, CEPSTRA), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(self._rest, self._size)[:: self._shift][:count]
        spectra = np.fft.rfft(frames * self._window, 512 * self._rate_hz // 16_000)
        energies = (spectra.real**2 + spectra.imag**2) @ _filters(self._rate_hz)
        self._rest = self._rest[count * self._shift :]
        log_mel = np.log(np.stack([self._clean(energy) for energy in energies]))
        return (_whole_band(log_mel) @ _dct()).astype(np.float32)

    def _take(self, samples: NDArray[np.int16]) -> None:
        noisy = samples + self._chance.normal(0, _FLOOR, len(samples))
        before = np.concatenate([[self._last], noisy[:-1]])
        self._last = noisy[-1] if len(noisy) else self._last
        self._rest = np.concatenate([self._rest, noisy - _PRE_EMPHASIS * before])


class _NoiseReduction:
    """Weakens the steady part of each mel band, frame after frame."""

    def __init__(self) -> None:
        self._power = self._noise = self._floor = self._peak = np.zeros(0)

    def __call__(self, energy):
        if not len(self._power):
            self._power = energy
            self._noise = self._floor = energy / 20
            self._peak = np.zeros(len(energy))
        self._power = 0.7 * self._power + 0.3 * energy
        self._noise = _envelope(self._noise, self._power)
        signal = np.maximum(self._power - self._noise, 1.0)
        self._floor = _envelope(self._floor, signal)
        decayed = 0.85 * self._peak
        masked = np.where(signal < 0.85 * decayed, 0.2 * decayed, signal)
        self._peak = np.maximum(signal, decayed)
        gain = np.maximum(np.maximum(masked, self._floor) / self._power, 1 / 20)
        return energy * (_smoothing(len(energy)) @ np.minimum(gain, 20))


def _envelope(lower, value):
    return np.where(value >= lower, 0.995 * lower + 0.005 * value, 0.5 * lower + 0.5 * value)


@functools.cache
def _smoothing(bands: int):
    near = np.abs(np.subtract.outer(np.arange(bands), np.arange(bands))) <= 4
    return near / near.sum(1, keepdims=True)


UPPER = None
def _whole_band(log_mel):
    n = log_mel.shape[1]
    if n == _FILTERS:
        return log_mel
    import sys
    W, b = UPPER
    return np.concatenate([log_mel, log_mel @ W + b], axis=1)


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


@functools.cache
def _filters(rate_hz: int) -> Floats:
    """Triangles on the mel scale, shape (bins of the spectrum, bands)."""
    points = 512 * rate_hz // 16_000
    step_hz = rate_hz / points
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _FILTERS + 2)
    edges = np.round(700.0 * (10.0 ** (mels / 2595.0) - 1.0) / step_hz) * step_hz
    bands = _FILTERS if rate_hz == 16_000 else int((edges[2:] <= _HIGHEST_OF_A_TELEPHONE_HZ).sum())
    low, middle, high = edges[:bands], edges[1 : bands + 1], edges[2 : bands + 2]
    bins = np.arange(points // 2 + 1)[:, None] * step_hz
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return (np.maximum(triangles, 0) * 2 / (high - low)).astype(np.float32)


@functools.cache
def _dct() -> Floats:
    """From 25 log energies to 13 liftered cepstra."""
    cosines = np.cos(np.pi * np.outer(np.arange(_FILTERS) + 0.5, np.arange(CEPSTRA)) / _FILTERS) * np.sqrt(2 / _FILTERS)
    cosines[:, 0] /= np.sqrt(2)
    return (cosines * (1 + _LIFTER / 2 * np.sin(np.pi * np.arange(CEPSTRA) / _LIFTER))).astype(np.float32)
