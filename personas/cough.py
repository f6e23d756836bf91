"""Coughs, sneezes and throats being cleared, made of filtered noise: sounds of a person that are no words.

A cough is a burst as the glottis opens and a longer noisy stream of air behind it, once or twice; a sneeze is one hiss
with more high frequencies; clearing the throat is two or three low growls. The shapes follow J. Korpáš, J. Sadloňová,
M. Vrabec, "Analysis of the cough sound: an overview" (Pulmonary Pharmacology 9, 1996).
"""

from __future__ import annotations

import random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["cough", "sneeze", "throat"]
Samples = NDArray[np.float64]

_PEAK = 0.35
"""Of full scale: about as loud as a caller speaks."""


def sound(kind: Kind, rate_hz: int, dice: random.Random) -> bytes:
    """One of them, a little different each time: s16le mono at `rate_hz`, 250 to 900 ms, no silence at its ends."""
    noise = np.random.default_rng(dice.getrandbits(32))
    times = {"cough": dice.choice((1, 2)), "sneeze": 1, "throat": dice.choice((2, 3))}[kind]
    made = np.concatenate([_once(kind, rate_hz, noise, number) for number in range(times)])
    loudest = max(float(np.abs(made).max()), 1e-9)
    return (made / loudest * _PEAK * 32767).astype("<i2").tobytes()


def _once(kind: Kind, rate_hz: int, noise: np.random.Generator, number: int) -> Samples:
    if kind == "sneeze":
        return _burst(noise, rate_hz, 380 * noise.uniform(0.9, 1.1), (1200, 6500), attack_ms=25, fall=4.0)
    if kind == "throat":
        return _growl(noise, rate_hz, 170 * noise.uniform(0.8, 1.2))
    weaker = 0.7**number
    blow = _burst(noise, rate_hz, 90 * noise.uniform(0.9, 1.2), (400, 4500), attack_ms=4, fall=5.0)
    stream = 0.5 * _burst(noise, rate_hz, 220 * noise.uniform(0.9, 1.1), (300, 2200), attack_ms=15, fall=3.0)
    return weaker * np.concatenate([blow, stream])


def _burst(
    noise: np.random.Generator, rate_hz: int, ms: float, band_hz: tuple[int, int], *, attack_ms: float, fall: float
) -> Samples:
    """Noise between two frequencies that sets in within `attack_ms` and dies away."""
    size = int(rate_hz * ms / 1000)
    rising = np.minimum(1.0, np.arange(size) / max(1.0, rate_hz * attack_ms / 1000))
    falling = np.exp(-fall * np.arange(size) / size)
    return _band(noise.normal(0, 1, size), rate_hz, band_hz) * rising * falling


def _growl(noise: np.random.Generator, rate_hz: int, ms: float) -> Samples:
    """A rough low voice: pulses of noise some seventy times a second."""
    size = int(rate_hz * ms / 1000)
    beat = 0.5 - 0.5 * np.cos(2 * np.pi * noise.uniform(60, 85) * np.arange(size) / rate_hz)
    swelling = np.sin(np.pi * (np.arange(size) + 1) / size)
    return _band(noise.normal(0, 1, size), rate_hz, (150, 1100)) * beat * swelling


def _band(samples: Samples, rate_hz: int, band_hz: tuple[int, int]) -> Samples:
    """Only what lies between two frequencies."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    spectrum[(frequencies < band_hz[0]) | (frequencies > band_hz[1])] = 0
    filtered: Samples = np.fft.irfft(spectrum, len(samples))
    return filtered
