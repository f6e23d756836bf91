from __future__ import annotations

import pytest

from voicebot.brain.nlu import Mention, Utterance
from voicebot.brain.nlu.times import Opening, find_times

OFFICE = Opening.of("08:00", "17:00")
LONG = Opening.of("07:00", "22:00")


def found(text: str, opening: Opening = OFFICE, options: tuple[str, ...] = ()) -> list[Mention]:
    return find_times(Utterance.of(text), opening, options)


def said(text: str) -> list[str | None]:
    return [mention.value for mention in found(text)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("half past two", "14:30"),
        ("at half past two please", "14:30"),
        ("half two", "14:30"),
        ("quarter to four", "15:45"),
        ("a quarter past nine", "09:15"),
        ("ten to three", "14:50"),
        ("twenty past eleven", "11:20"),
        ("twenty five to five", "16:35"),
        ("two thirty", "14:30"),
        ("at two fifteen", "14:15"),
        ("ten forty five", "10:45"),
        ("two oh five", "14:05"),
        ("fourteen thirty", "14:30"),
        ("fourteen hundred", "14:00"),
        ("ten o'clock", "10:00"),
        ("at three", "15:00"),
        ("around eleven", "11:00"),
        ("three p m", "15:00"),
        ("3pm", "15:00"),
        ("3:30 p.m.", "15:30"),
        ("2:30", "14:30"),
        ("14:30", "14:30"),
        ("eight in the morning", "08:00"),
        ("eight in the evening", "20:00"),
        ("noon", "12:00"),
        ("twelve noon", "12:00"),
        ("twelve thirty", "12:30"),
        ("half passed two", "14:30"),
        ("half past to", "14:30"),
        ("quarter past for", "16:15"),
        ("in the morning", "morning"),
        ("sometime in the afternoon", "afternoon"),
        ("after three", "after 15:00"),
        ("before ten", "before 10:00"),
        ("after lunch", "afternoon"),
    ],
)
def test_spoken_time_is_understood_within_opening_hours(text: str, time: str) -> None:
    assert said(text) == [time]


@pytest.mark.parametrize("text", ["good morning", "good afternoon ava", "the first one", "one moment", "another one"])
def test_what_is_no_time_is_not_taken_for_one(text: str) -> None:
    assert said(text) == []


def test_bare_hour_is_a_time_only_when_one_was_asked_for() -> None:
    assert [(each.value, each.sure) for each in found("two")] == [("14:00", False)]


def test_hour_that_fits_twice_leaves_both_readings() -> None:
    (mention,) = found("at eight", LONG)
    assert (mention.value, mention.options) == (None, ("08:00", "20:00"))


def test_hour_is_the_one_on_offer() -> None:
    (mention,) = found("at eight", LONG, options=("19:00", "20:00"))
    assert mention.value == "20:00"


def test_every_quarter_of_the_day_is_understood() -> None:
    hours = ["twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
    wrong = []
    for minute in range(8 * 60, 17 * 60, 15):
        hour, rest = divmod(minute, 60)
        name, following = hours[hour % 12], hours[(hour + 1) % 12]
        ways = {
            0: [f"{name} o'clock", f"at {name}"],
            15: [f"quarter past {name}", f"{name} fifteen"],
            30: [f"half past {name}", f"{name} thirty"],
            45: [f"quarter to {following}", f"{name} forty five"],
        }
        wrong += [(way, said(way)) for way in ways[rest] if said(way) != [f"{hour:02d}:{rest:02d}"]]
    assert wrong == []
