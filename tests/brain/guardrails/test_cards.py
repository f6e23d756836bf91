"""Payment cards, however they are dictated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.doubles.dictation import card_numbers, in_groups, in_pairs, luhn_complete, spoken_styles, with_pauses
from voicebot.agent.guardrails import Guardrails
from voicebot.brain.guardrails import Guard

PRIVATE = Guardrails.model_validate({"pii": "redact"})


def guard() -> Guard:
    return Guard(PRIVATE, "en")


@settings(max_examples=80, deadline=None)
@given(number=card_numbers(), style=spoken_styles)
def test_any_card_in_any_style_is_redacted(number: str, style: Callable[[str], str]) -> None:
    ruling = guard().caller(f"sure it's {style(number)}")
    assert ruling.text == "sure it's [card 1]"
    assert [hit.kind for hit in ruling.hits] == ["card"]


@settings(max_examples=30, deadline=None)
@given(data=st.data(), number=card_numbers())
def test_pauses_and_fillers_inside_do_not_hide_a_card(data: st.DataObject, number: str) -> None:
    said = data.draw(with_pauses(number))
    assert guard().caller(f"my card number is {said} thanks").text == "my card number is [card 1] thanks"


@settings(max_examples=30, deadline=None)
@given(number=card_numbers(), style=spoken_styles)
def test_a_tool_gets_the_digits_of_what_was_said(number: str, style: Callable[[str], str]) -> None:
    assume(style is not in_pairs or len(number) % 2 == 0)  # "twenty seven" at an odd end may be 27 or 20 7
    own = guard()
    own.caller(f"it's {style(number)}")
    assert own.restore({"card": "[card 1]", "note": ["pay with [card 1]"]}) == {
        "card": number,
        "note": [f"pay with {number}"],
    }


@settings(max_examples=30, deadline=None)
@given(number=card_numbers(), cut=st.integers(4, 12))
def test_a_card_told_over_two_turns_is_caught_in_the_second(number: str, cut: int) -> None:
    own = guard()
    own.caller(f"it's {' '.join(number[:cut])}")
    ruling = own.caller(f"and then {' '.join(number[cut:])}")
    assert ruling.text == "and then [card 1]"
    assert own.restore("[card 1]") == number


def test_a_card_told_over_four_turns_is_known_as_a_whole() -> None:
    own = guard()
    turns = ["my card number is four one one one", "one one one one", "one one one one", "one one one one"]
    texts = [own.caller(turn).text for turn in turns]
    assert texts == ["my card number is four one one one", "[card 1]", "[card 1]", "[card 1]"]
    assert own.restore("[card 1]") == "4111111111111111"


def test_expiry_and_security_code_behind_a_card_go_with_it() -> None:
    assert guard().caller("4111 1111 1111 1111 12 27 123").text == "[card 1]"


def test_a_card_that_was_misheard_is_redacted_where_it_was_called_one() -> None:
    assert guard().caller("my card number is 4111 1111 1111 1112").text == "my card number is [card 1]"


def test_sixteen_digits_with_a_check_digit_are_a_card_whatever_they_are_called() -> None:
    number = luhn_complete("987654321098765")
    assert guard().caller(f"my order number is {in_groups(number)}").text == "my order number is [card 1]"


@pytest.mark.parametrize(
    "innocent",
    [
        "my order number is 8827364512",
        "tracking number 9400 1112 0255 5842 3366 78",
        "the card ending in 4242 was declined",
        "room four twelve for two nights at three hundred and fifty dollars",
        "the imei is 490154203237518",
        "a party of six at seven thirty",
        "it was 12.50 and 13.75 and 99.99 and 100.00 and 41.11",
    ],
)
def test_numbers_of_other_things_stay(innocent: str) -> None:
    ruling = guard().caller(innocent)
    assert (ruling.text, ruling.hits, ruling.action) == (innocent, (), "pass")
