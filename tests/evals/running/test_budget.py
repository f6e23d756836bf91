from __future__ import annotations

import pytest

from tests.doubles import staged
from voicebot.errors import BadInput
from voicebot.evals.measures import Measures
from voicebot.evals.running import budget
from voicebot.evals.running.budget import Budget


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2h", 7200), ("1m5", 65)]
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    assert budget.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "10x", "m", "1m1h", "-5"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(BadInput, match="Write it as 90s, 10m or 1h30m"):
        budget.seconds_of(text)


def test_money_is_counted_for_invalid_calls_too_and_what_has_no_price_is_remembered() -> None:
    spent = Budget(usd=0.02)
    spent.pay(staged.result(staged.case(), "invalid"))
    assert spent.spent_usd == 0.01
    spent.pay(staged.result(staged.case(), measures=Measures(priced_usd=0.01, unpriced=["openai/new"])))
    assert spent.used_up == "$0.02 of $0.02 spent"
    assert spent.unpriced == {"openai/new"}


def test_time_is_over_when_it_is_over() -> None:
    assert not Budget(seconds=60).used_up
    assert Budget(seconds=0).used_up == "0 s are over"
    assert not Budget().used_up
