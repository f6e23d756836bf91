from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.evals.words.wer import Errors, mean, normalise, pooled, wer


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Um, it's $1,200 at 10:30 p.m.!", "it is 1200 dollars at 10 30 pm"),
        ("twenty first of June", "21st of june"),
        ("the 21st of June", "the 21st of june"),
        ("one hundred and five", "105"),
        ("two thousand three hundred", "2300"),
        ("ten thirty", "10 30"),
        ("at ten a m", "at 10 am"),
        ("10:00", "10"),
        ("2.30 pm", "2 30 pm"),
        ("3.5 percent", "3 point 5 percent"),
        ("I can't, won't and don't", "i can not will not and do not"),
        ("You\u2019re here, she's there", "you are here she is there"),
        ("the dentist's chair", "the dentists chair"),
        ("five five five, zero one four two", "5550142"),
        ("555-0142", "5550142"),
        ("555 0142", "5550142"),
        ("six oh two double five", "60255"),
        ("Z K three", "zk3"),
        ("ZK3", "zk3"),
        ("my name is B R O W N", "my name is brown"),
        ("I want a 2", "i want a 2"),
        ("oh, okay [noise]", "oh ok"),
        ("a hundred and", "a hundred and"),
        ("", ""),
    ],
)
def test_one_way_to_write_everything(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(
    st.lists(st.sampled_from("yes No $1,200 10:30 p.m. um okay it's can't two thirty Z K three B4 twenty-one".split()))
)
def test_normalising_twice_changes_nothing_more(words: list[str]) -> None:
    once = normalise(" ".join(words))
    assert normalise(once) == once


@given(st.text(max_size=60))
def test_any_text_can_be_normalised(text: str) -> None:
    assert set(normalise(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ")


def test_errors_are_counted_by_kind() -> None:
    # - | book | a | cleaning | on | monday   against   please | book | the | cleaning | - | monday
    errors = wer("Book a cleaning on Monday.", "please book the cleaning monday")
    assert (errors.substituted, errors.deleted, errors.inserted, errors.words) == (1, 1, 1, 5)
    assert errors.rate == pytest.approx(3 / 5)


def test_a_wrong_digit_spoils_the_whole_number() -> None:
    errors = wer("It's five five five zero one four two.", "it's five five five zero one four three")
    assert (errors.substituted, errors.words) == (1, 3)


def test_pooled_and_mean_differ_when_lengths_do() -> None:
    utterances = [
        wer("yes", "no"),
        wer("one two three four five six seven eight at noon please", "12345678 noon please"),
    ]
    assert utterances[0].rate == 1.0
    assert utterances[1].rate == pytest.approx(1 / 4)  # '12345678 at noon please': 'at' is missing
    assert pooled(utterances).rate == pytest.approx(2 / 5)
    assert mean(utterances) == pytest.approx((1 + 1 / 4) / 2)


def test_hearing_something_in_silence_is_wholly_wrong() -> None:
    assert wer("", "hello there").rate == 1.0
    assert wer("", "").rate == 0.0
    assert pooled([]) == Errors()
    assert mean([]) == 0.0


def test_a_lost_negation_is_counted_apart() -> None:
    assert wer("don't cancel it", "cancel it").flips == 1
    assert wer("cancel it", "do not cancel it").flips == 1
    assert wer("don't cancel it", "do not cancel that").flips == 0
