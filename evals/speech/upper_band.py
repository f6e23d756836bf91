"""Fits the network of `voicebot/stt/upper_band.py` to eSpeak voices and prints its YAML:

    python -m voicebot.evals.speech.upper_band > voicebot/stt/upper_band.yaml

Each sentence is heard at 16 kHz, and at 8 kHz through mu-law. The voices that simulated callers have by default are
left out, so that what is measured with them is not what was fitted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from voicebot.evals.speech.callers import hissing_line, spoken
from voicebot.stt import loudness
from voicebot.stt.cepstra import LogMel
from voicebot.stt.upper_band import Network
from voicebot.stt.vocabulary import general

Floats = NDArray[np.floating]

_VOICES = (
    "f1 f3 f4 m1 m2 m3 m4 m5 m6 m7 m8 Alex Alicia Andrea Annie Denis Diogo Gene Gene2 Hugo Lee Michael Mike Reed adam "
    "anika announcer belinda caleb david ed john linda marcelo max pablo paul rob robosoft robosoft4 steph travis"
).split()  # fmt: skip
_SENTENCES_A_VOICE = 12
_HIDDEN = 32
_EPOCHS, _BATCH = 16, 256
_SEED = 3


def examples() -> tuple[Floats, Floats]:
    """(bands a telephone carries, shape (n, 18); the seven above them, shape (n, 7))."""
    chance = np.random.default_rng(_SEED)
    sentences = general(["appointment", "order"])
    lower, upper = [], []
    for voice in _VOICES:
        for index in chance.integers(len(sentences), size=_SENTENCES_A_VOICE):
            wide = _log_mel(spoken(sentences[index], f"en-us+{voice}", 160, 16_000), 16_000)
            narrow = _log_mel(hissing_line(spoken(sentences[index], f"en-us+{voice}", 160, 8_000)), 8_000)
            frames = min(len(wide), len(narrow))
            lower.append(narrow[:frames])
            upper.append(wide[:frames, narrow.shape[1] :])
    return np.concatenate(lower), np.concatenate(upper)


def _log_mel(pcm: bytes, rate_hz: int) -> Floats:
    return LogMel(rate_hz, loudness.gain(loudness.of(pcm, rate_hz))).feed(pcm)


def fit(lower: Floats, upper: Floats) -> Network:
    """Least squares for the linear path, then Adam (Kingma & Ba, 2015) for all of it."""
    chance = np.random.default_rng(_SEED)
    mean, scale = lower.mean(axis=0), lower.std(axis=0)
    centre, spread = upper.mean(axis=0), upper.std(axis=0)
    x, y = (lower - mean) / scale, (upper - centre) / spread
    inputs, outputs = x.shape[1], y.shape[1]
    weights = [
        chance.normal(size=(inputs, _HIDDEN)) / np.sqrt(inputs),
        np.zeros(_HIDDEN),
        np.zeros((_HIDDEN, outputs)),
        np.linalg.lstsq(x, y, rcond=None)[0],
        np.zeros(outputs),
    ]
    moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in weights]
    for step, (batch, rate) in enumerate(_batches(len(x), chance), start=1):
        slopes = _slopes(weights, x[batch], y[batch])
        for index, slope in enumerate(slopes):
            first, second = moments[index]
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            moments[index] = first, second
            weights[index] -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    into, bias, out_of, past, out_bias = weights
    return Network(mean, scale, into, bias, out_of * spread, past * spread, out_bias * spread + centre)


def _batches(count: int, chance: np.random.Generator) -> Iterator[tuple[NDArray[np.integer], float]]:
    for epoch in range(_EPOCHS):
        shuffled = chance.permutation(count)
        for start in range(0, count, _BATCH):
            yield shuffled[start : start + _BATCH], 2e-3 * (1 - epoch / _EPOCHS) + 1e-4


def _slopes(weights: list[Floats], x: Floats, y: Floats) -> list[Floats]:
    """Of the mean squared error, for each of the weights."""
    into, bias, out_of, past, out_bias = weights
    hidden = np.tanh(x @ into + bias)
    error = (hidden @ out_of + x @ past + out_bias - y) / len(x)
    back = (error @ out_of.T) * (1 - hidden**2)
    return [x.T @ back, back.sum(axis=0), hidden.T @ error, x.T @ error, error.sum(axis=0)]


def main() -> None:
    lower, upper = examples()
    network = fit(lower, upper)
    left = (network(lower) - upper).std(axis=0)
    lines = [f"# Made by evals/speech/upper_band.py from {len(lower)} frames of {len(_VOICES)} voices."]
    lines += [f"# Left unexplained, of {upper.std(axis=0).round(1)}: {left.round(1)} (log energy)."]
    for name, numbers in vars(network).items():
        rows = np.atleast_2d(numbers.round(3)).tolist()
        lines += [f"{name}: {rows[0]}"] if numbers.ndim == 1 else [f"{name}:", *(f"  - {row}" for row in rows)]
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
