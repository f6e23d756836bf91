"""How callers put things: phrases and spoken values that a recogniser's language model is made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, cycle, islice
from pathlib import Path

import yaml

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december"]  # fmt: skip
HOURS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
DAY_PARTS = ["in the morning", "in the afternoon", "in the evening"]
MOST_PAIRS = 1200
"""Of given and family names together, where there are many of both."""
FEWEST_PAIRS = 8
"""Family names that each given name is paired with at least."""

SAID: dict[str, list[str]] = yaml.load(Path(__file__).with_suffix(".yaml").read_bytes(), yaml.CSafeLoader)
"""Sentences and phrases around values, by kind (callers.yaml)."""


def ordinals() -> list[str]:
    """first .. thirty first."""
    from num2words import num2words

    return [str(num2words(day, to="ordinal")).replace("-", " ") for day in range(1, 32)]


def dates() -> Iterator[str]:
    """Days as callers name them, each way at least once for each weekday, month and day of the month."""
    for day in WEEKDAYS:
        yield from (day, f"next {day}", f"this {day}", f"{day} next week", f"a week from {day}", f"this coming {day}")
        yield from (f"{day} morning", f"{day} afternoon", f"next {day} morning", f"next {day} afternoon")
    yield from SAID["dates"]
    days = ordinals()
    yield from (f"the {day}" for day in days)
    for month in MONTHS:
        yield from (f"the {day} of {month}" for day in days)
        yield from (f"{month} {day}" for day in days)
    yield from (f"{weekday} the {day}" for weekday, day in zip(cycle(WEEKDAYS), days * 3, strict=False))
    named = [f"the {day} of {month}" for month, day in zip(cycle(MONTHS), days, strict=False)]
    yield from (f"{weekday} {day}" for weekday, day in zip(cycle(WEEKDAYS), named * 2, strict=False))


def times() -> Iterator[str]:
    """Times of day as callers say them."""
    yield from SAID["times"]
    for hour in HOURS:
        yield from (hour, f"{hour} o'clock", f"half past {hour}", f"quarter past {hour}", f"quarter to {hour}")
        yield from (f"a quarter past {hour}", f"a quarter to {hour}", f"half {hour}")
        yield from (f"{hour} thirty", f"{hour} fifteen", f"{hour} forty five", f"{hour} ten", f"{hour} twenty")
        yield from (f"{hour} a m", f"{hour} p m", f"{hour} thirty p m", f"{hour} thirty a m", f"ten past {hour}")
        yield from (f"twenty past {hour}", f"ten to {hour}", f"twenty to {hour}", f"five past {hour}")
        yield from (f"{hour} {part}" for part in DAY_PARTS)
        yield from (f"{hour} o'clock {part}" for part in DAY_PARTS)
        yield from (f"half past {hour} {part}" for part in DAY_PARTS[:2])
    for hour in ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"]:
        yield from (f"{hour} hundred", f"{hour} thirty", f"{hour} fifteen", f"{hour} forty five")


def digits(length: int) -> Iterator[str]:
    """Digit by digit, so that every digit follows every other."""
    for start in range(10):
        for stride in range(10):
            yield " ".join(DIGITS[(start + stride * place) % 10] for place in range(length))


def names(first: list[str], last: list[str]) -> Iterator[str]:
    """Given and family names, alone and together: each with every other as long as that is not too much.

    A pair that the recogniser never saw is heard as something else: "James Carter" as "James dollars or".
    """
    given, family = [each.lower() for each in first], [each.lower() for each in last]
    yield from given
    yield from family
    if given and family:
        for shift in range(min(len(family), max(FEWEST_PAIRS, MOST_PAIRS // len(given)))):
            yield from (f"{each} {family[(n * 3 + shift) % len(family)]}" for n, each in enumerate(given))


def spelled(known: list[str]) -> Iterator[str]:
    """Names letter by letter, alone and after the name."""
    for name in known:
        letters = " ".join(each for each in name.lower() if each.isalpha())
        yield from (letters, f"{name.lower()} {letters}")


def framed(values: list[str], frames: list[str], everywhere: int = 8) -> Iterator[str]:
    """The first `everywhere` values in every frame, the rest alone and in one frame each, in turn."""
    for value in values[:everywhere]:
        yield from (frame.format(value) for frame in frames)
    rest = values[everywhere:]
    yield from rest
    yield from (frame.format(value) for value, frame in zip(rest, islice(cycle(chain(frames)), len(rest)), strict=True))
