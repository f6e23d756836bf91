from __future__ import annotations

import pytest

from voicebot.evals.bench.calls.search import Search


def found(limit: int, **how: float) -> tuple[int, list[int]]:
    """What a search finds when everything up to `limit` fits, and what it tried."""
    search, tried = Search(**how), []  # type: ignore[arg-type] # what the tests give is right
    while (level := search.next()) is not None:
        tried.append(level)
        search.tell(level, fits=level <= limit)
    return search.best, tried


def test_it_doubles_until_it_breaks_and_then_looks_in_between():
    assert found(50, fineness=0.1) == (48, [4, 8, 16, 32, 64, 48, 56, 52])


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 9])
def test_few_calls_are_found_to_the_call(limit: int):
    assert found(limit, fineness=0.0)[0] == limit


@pytest.mark.parametrize("limit", range(10, 200, 7))
def test_what_it_finds_fits_and_is_no_more_than_its_fineness_short(limit: int):
    best, tried = found(limit, fineness=0.1)
    assert best <= limit <= best * 1.1 + 1
    assert len(tried) <= 11
    assert len(set(tried)) == len(tried)


def test_nothing_may_fit():
    assert found(0) == (0, [4, 2, 1])


def test_it_stops_at_the_most_that_is_allowed():
    assert found(10_000, most=100) == (100, [4, 8, 16, 32, 64, 100])
