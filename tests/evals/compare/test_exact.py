"""McNemar's exact test, Holm's correction and resampling against published or hand-counted values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.evals.compare.holm import adjusted
from voicebot.evals.compare.mcnemar import exact_p, needed
from voicebot.evals.compare.resample import Quantiles, Ratios, drawn, observed, permutation_p, swapped


@pytest.mark.parametrize(
    ("broken", "fixed", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # 2 * 1/2
        (3, 0, 0.25),  # 2 * 1/8
        (5, 0, 0.0625),
        (6, 0, 0.03125),  # the first of its kind below 0.05
        (10, 2, 0.03857421875),  # 2 * (1 + 12 + 66) / 4096
        (2, 10, 0.03857421875),
        (5, 5, 1.0),
        (12, 5, 0.143463134765625),  # 2 * (1 + 17 + 136 + 680 + 2380 + 6188) / 131072
        (121, 59, 4.434e-06),  # the textbook table of 59 and 121 discordant pairs, as statsmodels prints its exact p
    ],
)
def test_mcnemar_exact(broken: int, fixed: int, p: float):
    assert exact_p(broken, fixed) == pytest.approx(p, rel=1e-3)


def test_how_many_have_to_break():
    assert needed(0, 0.05) == 6
    assert needed(0, 0.025) == 7  # 2 / 2**7 = 0.0156
    assert needed(2, 0.05) == 10
    assert exact_p(needed(4, 0.01), 4) <= 0.01 < exact_p(needed(4, 0.01) - 1, 4)


def test_holm():
    # sorted 0.01 0.02 0.03 0.04 times 4 3 2 1: 0.04, 0.06, 0.06, 0.06 (never falling)
    assert adjusted([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert adjusted([0.5, 0.9]) == [1.0, 1.0]
    assert adjusted([]) == []


def ratios(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> Ratios:
    return Ratios(np.asarray(a, float), np.asarray(b, float))


def test_exchanging_few_calls_is_exact():
    # Three calls of 1 interruption each: yielded 3 of 3 before, 0 of 3 after. Of the 2**3 exchanges the change is -1 in
    # one (none exchanged) and +1 in one (all exchanged): p = 2/8.
    pairs = ratios([(1, 1)] * 3, [(0, 1)] * 3)
    assert observed(pairs) == -1
    assert sorted(swapped(pairs, 10, 0)) == pytest.approx([-1, -1 / 3, -1 / 3, -1 / 3, 1 / 3, 1 / 3, 1 / 3, 1])
    assert permutation_p(pairs, 10, 0) == 2 / 8
    assert permutation_p(ratios([(1, 1)], [(1, 1)]), 10, 0) == 1.0


def test_calls_without_the_figure_do_not_break_the_draws():
    pairs = ratios([(0, 0), (1, 2)], [(0, 0), (2, 2)])
    sample = drawn(pairs, 1000, 0)
    assert 0 < len(sample) < 1000  # those that drew only the empty call say nothing
    assert set(sample) == {0.5}


@given(
    st.lists(
        st.tuples(st.lists(st.floats(0, 1e4), max_size=4), st.lists(st.floats(0, 1e4), max_size=4)),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([0.5, 0.95]),
)
def test_the_change_of_a_percentile_is_that_of_all_values_together(calls, q: float):
    a, b = [list(one) for one, _ in calls], [list(other) for _, other in calls]
    if not (any(a) and any(b)):
        return
    change = float(np.quantile(np.concatenate(b), q) - np.quantile(np.concatenate(a), q))
    assert observed(Quantiles(a, b, q)) == pytest.approx(change, abs=1e-6)


def test_the_interval_holds_the_true_change_as_often_as_it_says():
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        a = [list(rng.normal(400, 80, 6)) for _ in range(40)]
        b = [[value + 50 + rng.normal(0, 20) for value in call] for call in a]
        low, high = np.quantile(drawn(Quantiles(a, b, 0.5), 1000, seed), [0.025, 0.975])
        held += low <= 50 <= high
    assert 88 <= held <= 100
