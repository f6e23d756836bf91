from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.evals.scores.percentile import percentiles, quantile


def test_between_two_ranks_in_proportion():
    values = [100.0, 400.0, 200.0, 300.0]
    # sorted 100 200 300 400; p50: rank 0.5 * 3 = 1.5 -> 250; p95: rank 2.85 -> 300 + 0.85 * 100 = 385
    assert quantile(values, 0.5) == 250
    assert quantile(values, 0.95) == pytest.approx(385)
    found = percentiles(values)
    assert found is not None
    assert (found.n, found.mean, found.p50, found.worst) == (4, 250, 250, 400)
    assert (found.p90, found.p99) == pytest.approx((370, 397))  # ranks 2.7 and 2.97


def test_one_value_is_every_percentile_and_none_is_none():
    found = percentiles([7.0])
    assert found is not None
    assert found.p50 == found.p99 == found.worst == 7.0
    assert percentiles([]) is None
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0, 1))
def test_the_same_as_numpy(values: list[float], q: float):
    assert quantile(values, q) == pytest.approx(float(np.quantile(values, q)), abs=1e-6)
