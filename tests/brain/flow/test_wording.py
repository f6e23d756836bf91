from __future__ import annotations

from datetime import date

import pytest

from tests.doubles.text_call import TODAY
from voicebot.brain.flow.wording import Wording, day
from voicebot.flow import Flow

FLOW = Flow.model_validate(
    {
        "hours": {"open": "08:00", "close": "20:30"},
        "slots": {
            "phone": {"type": "phone", "ask": "?"},
            "order": {"type": "code", "ask": "?"},
            "price": {"type": "money", "ask": "?"},
            "guests": {"type": "number", "ask": "?"},
        },
        "goals": {"x": {"title": "x", "examples": ["x"]}},
    }
)
WORDING = Wording(FLOW)


@pytest.mark.parametrize(
    ("name", "value", "spoken"),
    [
        ("day", "2026-12-01", "Tuesday the first of December"),
        ("time", "14:30", "half past two"),
        ("time", "15:45", "quarter to four"),
        ("time", "12:00", "noon"),
        ("time", "09:00", "nine o'clock"),
        ("time", "13:05", "one oh five"),
        ("time", "08:00", "eight o'clock in the morning"),
        ("time", "20:00", "eight o'clock in the evening"),
        ("times", ["09:00", "10:30", "14:00"], "nine o'clock, half past ten or two o'clock"),
        ("phone", "+12125550123", "two one two, five five five, zero one two three"),
        ("order", "10K42", "one zero K four two"),
        ("price", 42.5, "forty-two dollars, fifty cents"),
        ("price", 300.0, "three hundred dollars"),
        ("guests", 4, "four"),
        ("status", "on its way", "on its way"),
    ],
)
def test_value_is_said_in_words(name: str, value: object, spoken: str) -> None:
    assert WORDING.value(name, value, TODAY) == spoken


def test_far_day_has_its_year() -> None:
    assert day(date(2027, 11, 2), TODAY) == "Tuesday the second of November twenty twenty-seven"


def test_bracketed_part_needs_its_value() -> None:
    template = "Booked[ for {name}][, phone {phone}]."
    assert WORDING.sentence(template, {"name": "Ann"}, TODAY) == "Booked for Ann."
    assert WORDING.sentence(template, {}, TODAY) == "Booked."


def test_article_fits_the_value() -> None:
    assert WORDING.sentence("So that's a {thing}.", {"thing": "emergency"}, TODAY) == "So that's an emergency."
    assert WORDING.sentence("A {thing}.", {"thing": "emergency"}, TODAY) == "An emergency."


def test_end_of_the_last_value_is_known() -> None:
    said, until = WORDING.with_last_value("A {thing} for {name}. Right?", {"thing": "room", "name": "Ann"}, TODAY)
    assert said == "A room for Ann. Right?"
    assert until == "A room for Ann"
