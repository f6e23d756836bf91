"""Learns the weights of `voicebot.brain.guardrails.leaning` from the labelled sentences beside this file.

    python -m voicebot.evals.guardrails.learn

Logistic regression with a penalty on large weights. The threshold of each rail is set by cross-validation: so high that
of the innocent sentences that a fold was not learned from at most `FALSE_ALARMS` strike.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voicebot.brain.guardrails.leaning import SIZE, features
from voicebot.brain.guardrails.reading import Reading
from voicebot.evals.bench.guarding import own

FALSE_ALARMS = 0.004
FOLDS = 5
ROUNDS = 400
RATE = 2.0
PENALTY = 2e-6
RAILS = ("injection", "toxicity")
Floats = npt.NDArray[np.float32]


def main(out: Path) -> None:
    """Write the weights to `out`, and print what cross-validation says of them."""
    labelled = [each for each in own() if each.side != "agent" and each.language == "en"]
    rows = [features(Reading(each.text)) for each in labelled]
    saved: dict[str, Any] = {}
    for rail in RAILS:
        truth = np.array([getattr(each.expect, rail) for each in labelled])
        innocent = np.array([not any(getattr(each.expect, other) for other in RAILS) for each in labelled])
        scores = _held_out(rows, truth)
        threshold = _threshold(scores[innocent])
        weights, bias = _learned(rows, truth)
        saved[rail] = weights.astype(np.float16)
        saved[f"{rail}_bias"], saved[f"{rail}_threshold"] = np.float32(bias), np.float32(threshold)
        caught, alarms = (scores[truth] >= threshold).mean(), (scores[innocent] >= threshold).mean()
        sys.stdout.write(f"{rail}: alone it catches {caught:.1%} of {truth.sum()}, with {alarms:.1%} false alarms\n")
    np.savez_compressed(out, **saved)


def _held_out(rows: Sequence[npt.NDArray[np.intp]], truth: npt.NDArray[np.bool_]) -> Floats:
    """The score of each sentence by weights that were learned without it."""
    fold = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    scores = np.zeros(len(rows), np.float32)
    for number in range(FOLDS):
        seen = [int(index) for index in np.flatnonzero(fold != number)]
        weights, bias = _learned([rows[index] for index in seen], truth[seen])
        for index in map(int, np.flatnonzero(fold == number)):
            scores[index] = _score(rows[index], weights, bias)
    return scores


def _score(row: npt.NDArray[np.intp], weights: Floats, bias: float) -> float:
    return float(1 / (1 + np.exp(-weights[row].sum() / np.sqrt(max(1, row.size)) - bias)))


def _learned(rows: Sequence[npt.NDArray[np.intp]], truth: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """Gradient descent on the logistic loss; both classes count the same."""
    lengths = np.array([max(1, row.size) for row in rows])
    flat, owner = np.concatenate(rows), np.repeat(np.arange(len(rows)), [row.size for row in rows])
    value = (1 / np.sqrt(lengths))[owner].astype(np.float32)
    share = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum()).astype(np.float32)
    weights, bias, pace = np.zeros(SIZE, np.float32), 0.0, np.full(SIZE, 1e-6, np.float32)
    for _ in range(ROUNDS):
        sums = np.bincount(owner, weights[flat] * value, len(rows)) + bias
        wrong = (1 / (1 + np.exp(-sums)) - truth) * share
        slope = np.bincount(flat, wrong[owner] * value, SIZE).astype(np.float32) + PENALTY * weights
        pace += slope**2
        weights -= 0.1 * slope / np.sqrt(pace)
        bias -= RATE * float(wrong.sum())
    return weights, bias


def _threshold(innocent: Floats) -> float:
    ordered = np.sort(innocent)[::-1]
    return float(ordered[int(FALSE_ALARMS * ordered.size)]) + 1e-4


if __name__ == "__main__":
    main(Path(__file__).parents[2] / "voicebot" / "brain" / "guardrails" / "leaning.npz")
