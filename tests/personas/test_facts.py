from __future__ import annotations

from datetime import date

import pytest

from voicebot.personas import facts
from voicebot.personas.facts import Kind

SATURDAY = date(2025, 11, 22)


def values(kind: Kind, text: str) -> list[list[str]]:
    return [sorted(mention.values) for mention in facts.read(kind, facts.plain(text), today=SATURDAY)]


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ("at three", [["03:00", "15:00"]]),
        ("at 3 p.m.", [["15:00"]]),
        ("at three thirty p.m.", [["15:30"]]),
        ("half past two in the afternoon", [["14:30"]]),
        ("quarter to four", [["03:45", "15:45"]]),
        ("ten in the morning", [["10:00"]]),
        ("at noon", [["12:00"]]),
        ("15:00", [["15:00"]]),
        ("I have two thirty or four o'clock", [["02:30", "14:30"], ["04:00", "16:00"]]),
        ("your number is five five five, one two three four", []),
        ("November 10th for two weeks", []),
        ("It takes about thirty minutes", []),
    ],
)
def test_times_are_read_as_all_they_can_mean(said: str, times: list[list[str]]) -> None:
    assert values("time", said) == times


def test_a_weekday_can_be_any_of_the_coming_weeks_and_a_full_date_only_one() -> None:
    assert values("day", "on Thursday")[0][:2] == ["2025-11-27", "2025-12-04"]
    assert values("day", "Thursday, November 27th at 3 PM") == [["2025-11-27"]]
    assert values("day", "Thursday the twenty-seventh of November") == [["2025-11-27"]]
    assert values("day", "tomorrow") == [["2025-11-23"]]


def test_a_date_that_does_not_fall_on_its_weekday_means_nothing() -> None:
    assert values("day", "Friday, November 27th") == [[]]


def test_the_word_may_is_not_a_month() -> None:
    assert values("day", "may I have your name") == []


def test_a_callers_weekday_is_the_next_one_and_todays_can_be_two() -> None:
    assert facts.meaning("day", "thursday", today=SATURDAY) == {"2025-11-27"}
    assert facts.meaning("day", "saturday", today=SATURDAY) == {"2025-11-22", "2025-11-29"}


def test_digits_are_joined_however_they_are_grouped() -> None:
    assert values("digits", "five five five, zero one four two. Is that right?") == [["5550142"]]


def test_the_longest_choice_wins() -> None:
    choices = {"cleaning": ["cleaning"], "deep": ["deep cleaning"]}
    found = facts.read("choice", "a deep cleaning", today=SATURDAY, choices=choices)
    assert [sorted(mention.values) for mention in found] == [["deep"]]
