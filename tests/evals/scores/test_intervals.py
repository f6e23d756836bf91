"""Intervals against published tables."""

from __future__ import annotations

import pytest

from voicebot.evals.scores.intervals import at_least, clopper_pearson, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),  # 1 - 0.025 ** (1/10)
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (8, 10, 0.4439, 0.9748),
        (10, 10, 0.6915, 1.0),
        (15, 148, 0.0578, 0.1617),  # Newcombe 1998, table I, method 5
        (81, 263, 0.2527, 0.3676),  # the same
    ],
)
def test_clopper_pearson(hits: int, n: int, low: float, high: float):
    assert clopper_pearson(hits, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float):
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_there_is_no_interval():
    assert wilson(0, 0) is None
    assert clopper_pearson(0, 0) is None


def test_binomial_tail():
    assert at_least(2, 3, 0.5) == pytest.approx(4 / 8)  # 3 of 8 have two, 1 of 8 has three
    assert at_least(0, 3, 0.2) == 1
    assert at_least(1, 3, 0.0) == 0
    assert at_least(3, 3, 1.0) == 1
    assert at_least(1500, 3000, 0.5) == pytest.approx(0.5073, abs=1e-4)  # large n does not overflow
