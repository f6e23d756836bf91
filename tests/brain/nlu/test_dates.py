from __future__ import annotations

from datetime import date

import pytest

from voicebot.brain.nlu import Utterance
from voicebot.brain.nlu.dates import find_dates

SUNDAY = date(2026, 11, 22)
WEDNESDAY = date(2026, 11, 25)


def said(text: str, today: date = SUNDAY) -> list[str | None]:
    return [mention.value for mention in find_dates(Utterance.of(text), today)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-11-22"),
        ("tomorrow", "2026-11-23"),
        ("the day after tomorrow", "2026-11-24"),
        ("tuesday", "2026-11-24"),
        ("on tuesday please", "2026-11-24"),
        ("next tuesday", "2026-11-24"),
        ("this coming friday", "2026-11-27"),
        ("sunday", "2026-11-29"),
        ("tuesday next week", "2026-11-24"),
        ("next week on thursday", "2026-11-26"),
        ("a week from friday", "2026-12-04"),
        ("a week from today", "2026-11-29"),
        ("two weeks from tuesday", "2026-12-08"),
        ("in three days", "2026-11-25"),
        ("in a week", "2026-11-29"),
        ("in two weeks time", "2026-12-06"),
        ("in a month", "2026-12-22"),
        ("four days from now", "2026-11-26"),
        ("the fifth of december", "2026-12-05"),
        ("december fifth", "2026-12-05"),
        ("december the fifth", "2026-12-05"),
        ("the twenty first of january", "2027-01-21"),
        ("january thirty first", "2027-01-31"),
        ("the first of may twenty twenty seven", "2027-05-01"),
        ("tuesday the first of december", "2026-12-01"),
        ("tuesday december first", "2026-12-01"),
        ("the fifth", "2026-12-05"),
        ("on the twenty third", "2026-11-23"),
        ("the thirty first", "2026-12-31"),
        ("may fifth", "2027-05-05"),
        ("february twenty ninth", "2028-02-29"),
        ("2026-12-01", "2026-12-01"),
        ("12/1", "2026-12-01"),
        ("25/12/2026", "2026-12-25"),
        ("yesterday", "2026-11-21"),
        ("as soon as possible", "any"),
        ("any day", "any"),
        ("the next available appointment", "any"),
    ],
)
def test_spoken_day_is_understood(text: str, day: str) -> None:
    assert said(text) == [day]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("friday", "2026-11-27"),
        ("this friday", "2026-11-27"),
        ("next friday", "2026-12-04"),
        ("wednesday", "2026-12-02"),
        ("next monday", "2026-11-30"),
        ("last monday", "2026-11-23"),
    ],
)
def test_next_weekday_lies_in_the_next_calendar_week(text: str, day: str) -> None:
    assert said(text, WEDNESDAY) == [day]


@pytest.mark.parametrize(
    "text",
    [
        "may i come in",
        "i may be late",
        "the first one",
        "the second one please",
        "just a second",
        "a cleaning for two people",
        "half past two",
        "the thirty second of december",
        "february thirtieth twenty twenty seven",
        "i have three questions",
        "march over there",
        "good morning",
        "five five five one two three four",
    ],
)
def test_what_is_no_day_is_not_taken_for_one(text: str) -> None:
    assert said(text) == []


def test_weekday_that_does_not_fit_the_date_leaves_both_readings() -> None:
    (mention,) = find_dates(Utterance.of("tuesday the second of december"), SUNDAY)
    assert mention.value is None
    assert mention.options == ("2026-12-02", "2026-12-01")


def test_a_bare_ordinal_is_a_day_only_when_one_was_asked_for() -> None:
    (mention,) = find_dates(Utterance.of("fifth"), SUNDAY)
    assert (mention.value, mention.sure) == ("2026-12-05", False)


def test_every_day_of_the_year_is_understood_both_ways() -> None:
    from num2words import num2words

    days = [date.fromordinal(SUNDAY.toordinal() + ahead) for ahead in range(1, 365)]
    wrong = [
        (text, said(text))
        for day in days
        for ordinal in [num2words(day.day, to="ordinal").replace("-", " ")]
        for text in (f"the {ordinal} of {day:%B}", f"{day:%B} {ordinal}", f"{day:%A} the {ordinal} of {day:%B}")
        if said(text) != [day.isoformat()]
    ]
    assert wrong == []
