"""How far a text leans towards an attack, by its words alone: what the rules have no words for yet.

A linear score over words, pairs of words and pieces of words, learned from the labelled sentences in evals/guardrails
(`python -m voicebot.evals.guardrails.learn`). It adds up weights and knows nothing else: no model, no network, half a
millisecond. Its weights are leaning.npz.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt

from voicebot.brain.guardrails.reading import Reading

Rail = Literal["injection", "toxicity"]
SIZE = 1 << 15
"""Weights of one rail; a feature finds its own by a hash."""
LONGEST = 400
"""Words that are looked at, from the beginning and from the end."""


def lean(reading: Reading, rail: Rail) -> float:
    """From 0 to 1; compare with `threshold`."""
    found = features(reading)
    if not found.size:
        return 0.0
    weights, bias = _weights()[rail]
    return 1 / (1 + math.exp(-float(weights[found].sum()) / math.sqrt(found.size) - bias))


def threshold(rail: Rail) -> float:
    """From where on the score tells, chosen on sentences that the weights were not learned from."""
    return _thresholds()[rail]


def features(reading: Reading) -> npt.NDArray[np.intp]:
    """The numbers of the weights that count for a text, each once."""
    words = [_plain(reading.tokens[place]) for place in reading.words]
    if len(words) > LONGEST:
        words = [*words[: LONGEST // 2], *words[-LONGEST // 2 :]]
    named = {zlib.crc32(name.encode()) % SIZE for name in _names(words)}
    return np.fromiter(sorted(named), np.intp, len(named))


def _names(words: list[str]) -> Iterator[str]:
    padded = ["^", *words, "$"]
    for place, word in enumerate(words):
        yield word
        whole = f"<{word}>"
        for size in (4, 5):
            for at in range(len(whole) - size + 1):
                yield f"~{whole[at : at + size]}"
        for gap in (1, 2, 3):  # padded[place] stands before words[place]
            if place + gap + 1 < len(padded):
                yield f"{word} {'.' * (gap - 1)} {padded[place + 1 + gap]}"
        yield f"{padded[place]} {word} {padded[place + 2]}"


def _plain(token: str) -> str:
    return "0" if token.isdecimal() else token


@cache
def _loaded() -> dict[str, npt.NDArray[np.float32]]:
    with (
        resources.files("voicebot.brain.guardrails").joinpath("leaning.npz").open("rb") as file,
        np.load(file) as saved,
    ):
        return {name: saved[name].astype(np.float32) for name in saved.files}


@cache
def _weights() -> dict[str, tuple[npt.NDArray[np.float32], float]]:
    saved = _loaded()
    return {rail: (saved[rail], float(saved[f"{rail}_bias"])) for rail in ("injection", "toxicity")}


@cache
def _thresholds() -> dict[str, float]:
    saved = _loaded()
    return {rail: float(saved[f"{rail}_threshold"]) for rail in ("injection", "toxicity")}
