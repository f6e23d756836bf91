"""pass@k and pass^k against counting by hand."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.evals.scores.passes import mean_pass_at_k, mean_pass_hat_k, pass_at_k, pass_hat_k


def test_worked_examples():
    # 5 tries, 3 passed. Of the C(5,2) = 10 pairs, C(2,2) = 1 holds no pass and C(3,2) = 3 hold only passes.
    assert pass_at_k(5, 3, 2) == pytest.approx(9 / 10)
    assert pass_hat_k(5, 3, 2) == pytest.approx(3 / 10)
    assert pass_at_k(5, 3, 1) == pass_hat_k(5, 3, 1) == pytest.approx(3 / 5)
    assert (pass_at_k(4, 0, 4), pass_hat_k(4, 0, 4)) == (0, 0)
    assert (pass_at_k(4, 4, 4), pass_hat_k(4, 4, 4)) == (1, 1)
    assert (pass_at_k(4, 3, 2), pass_hat_k(4, 1, 2)) == (1, 0)  # fewer failures, fewer passes than k


def test_mean_over_scenarios_leaves_out_those_with_too_few_tries():
    tries = [(4, 4), (4, 2), (1, 0)]
    # k = 2: 1 and 1 - C(2,2)/C(4,2) = 5/6; 1 and C(2,2)/C(4,2) = 1/6. The third has one try.
    assert mean_pass_at_k(tries, 2) == pytest.approx((1 + 5 / 6) / 2)
    assert mean_pass_hat_k(tries, 2) == pytest.approx((1 + 1 / 6) / 2)
    assert mean_pass_at_k(tries, 1) == pytest.approx((1 + 0.5 + 0) / 3)
    assert mean_pass_at_k(tries, 5) is None


@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_they_are_what_counting_every_draw_gives(case: tuple[int, int, int]):
    n, c, k = case
    draws = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, draws)) / len(draws))


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, 1, 0), (3, 1, 4), (0, 0, 1)])
def test_nonsense_is_refused(n: int, c: int, k: int):
    with pytest.raises(ValueError, match="say nothing"):
        pass_at_k(n, c, k)
