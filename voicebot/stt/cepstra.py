"""Mel-frequency cepstra as PocketSphinx's US English model was trained on, at 16 kHz or straight from 8 kHz.

Computed here rather than inside PocketSphinx because three things decide how well it hears a telephone call: a noise
floor (to it, digital silence is the logarithm of nothing), the mean that is subtracted (see `sphinx`), and what to
believe about the band that a telephone does not carry (see `upper_band`).
Parameters: the model's `feat.params`. Noise reduction: Doblinger, "Computationally efficient speech enhancement by
spectral minima tracking in subbands" (1995), with the temporal masking of Kim & Stern's PNCC (2012), as in training.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from voicebot.stt import upper_band

Floats = NDArray[np.floating]

FRAMES_PER_S = 100
CEPSTRA = 13
BANDS = 25
TYPICAL: Floats = np.array([60.3, -1.6, -2.0, 10.4, -2.2, -0.5, -7.4, -9.0, -3.6, -4.0, 1.7, -1.7, -1.7])
"""The mean of speech of `loudness.TARGET`, averaged over 42 voices."""

_WINDOW_S = 0.025625
_POINTS_AT_16_KHZ = 512
_PRE_EMPHASIS = 0.97
_LOWEST_HZ, _HIGHEST_HZ = 130.0, 6800.0
_HIGHEST_OF_A_TELEPHONE_HZ = 3800.0
_LIFTER = 22
_FLOOR = 60.0
"""Standard deviation, in s16 steps, of the noise under every signal."""
_SEED = 7


class LogMel:
    """One stretch of speech at 8000 or 16000 Hz: s16le samples in, log mel energies for every 10 ms out."""

    def __init__(self, rate_hz: int, gain: float = 1.0) -> None:
        self._gain = gain
        self._shift = rate_hz // FRAMES_PER_S
        self._points = _POINTS_AT_16_KHZ * rate_hz // 16_000
        self._window = np.hamming(round(_WINDOW_S * rate_hz))
        self._filters = _filters(rate_hz)
        self._rest: Floats = np.zeros(0)
        self._last = 0.0
        self._chance = np.random.default_rng(_SEED)
        self._clean = _NoiseReduction(self._filters.shape[1])

    def feed(self, pcm: bytes) -> Floats:
        """The next samples -> the frames they complete, shape (frames, 25), at 8000 Hz (frames, 18)."""
        self._take(np.frombuffer(pcm, "<i2"))
        size = len(self._window)
        count = max(0, (len(self._rest) - size) // self._shift + 1)
        if not count:
            return np.zeros((0, self._filters.shape[1]))
        frames = np.lib.stride_tricks.sliding_window_view(self._rest, size)[:: self._shift][:count]
        spectra = np.fft.rfft(frames * self._window, self._points)
        energies = (spectra.real**2 + spectra.imag**2) @ self._filters
        self._rest = self._rest[count * self._shift :]
        log_energies: Floats = np.log([self._clean(energy) for energy in energies])
        return log_energies

    def _take(self, samples: NDArray[np.int16]) -> None:
        noisy = samples * self._gain + self._chance.normal(0, _FLOOR, len(samples))
        emphasised = noisy - _PRE_EMPHASIS * np.concatenate([[self._last], noisy])[: len(noisy)]
        self._rest = np.concatenate([self._rest, emphasised])
        self._last = noisy[-1] if len(noisy) else self._last


class Cepstra:
    """One stretch of speech at 8000 or 16000 Hz: s16le samples in, 13 cepstra for every 10 ms out."""

    def __init__(self, rate_hz: int, gain: float = 1.0) -> None:
        self._log_mel = LogMel(rate_hz, gain)

    def feed(self, pcm: bytes) -> Floats:
        """The next samples -> the frames they complete, shape (frames, 13)."""
        energies = self._log_mel.feed(pcm)
        if energies.shape[1] < BANDS:
            energies = np.concatenate([energies, upper_band.guess(energies)], axis=1)
        cepstra: Floats = energies @ _to_cepstra()
        return cepstra


class _NoiseReduction:
    """Weakens the steady part of each mel band, frame after frame."""

    def __init__(self, bands: int) -> None:
        near = np.abs(np.subtract.outer(np.arange(bands), np.arange(bands))) <= 4
        self._smoothing = near / near.sum(axis=1, keepdims=True)
        self._power: Floats | None = None
        self._noise: Floats = np.zeros(bands)
        self._floor: Floats = self._noise
        self._peak: Floats = self._noise

    def __call__(self, energy: Floats) -> Floats:
        if self._power is None:
            self._power = energy
            self._noise = self._floor = energy / 20
        self._power = 0.7 * self._power + 0.3 * energy
        self._noise = _lower_envelope(self._noise, self._power)
        signal = np.maximum(self._power - self._noise, 1.0)
        self._floor = _lower_envelope(self._floor, signal)
        decayed = 0.85 * self._peak
        masked = np.where(signal < 0.85 * decayed, 0.2 * decayed, signal)
        self._peak = np.maximum(signal, decayed)
        gain = np.clip(np.maximum(masked, self._floor) / self._power, 1 / 20, 20)
        cleaned: Floats = energy * (self._smoothing @ gain)
        return cleaned


def _lower_envelope(lower: Floats, value: Floats) -> Floats:
    """Follows `value` quickly downwards, slowly upwards."""
    return np.where(value >= lower, 0.995 * lower + 0.005 * value, 0.5 * lower + 0.5 * value)


@functools.cache
def _filters(rate_hz: int) -> Floats:
    """Triangles on the mel scale, shape (bins of the spectrum, bands)."""
    points = _POINTS_AT_16_KHZ * rate_hz // 16_000
    step_hz = rate_hz / points
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), BANDS + 2)
    edges = np.round(700.0 * (10.0 ** (mels / 2595.0) - 1.0) / step_hz) * step_hz
    bands = BANDS if rate_hz == 16_000 else int((edges[2:] <= _HIGHEST_OF_A_TELEPHONE_HZ).sum())
    low, middle, high = edges[:bands], edges[1 : bands + 1], edges[2 : bands + 2]
    bins = np.arange(points // 2 + 1)[:, None] * step_hz
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    areas: Floats = np.maximum(triangles, 0) * 2 / (high - low)
    return areas


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


@functools.cache
def _to_cepstra() -> Floats:
    """The cosine transform of 25 log energies to 13 cepstra, liftered."""
    order = np.arange(CEPSTRA)
    cosines = np.cos(np.pi * np.outer(np.arange(BANDS) + 0.5, order) / BANDS) * np.sqrt(2 / BANDS)
    cosines[:, 0] /= np.sqrt(2)
    liftered: Floats = cosines * (1 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER))
    return liftered
