"""Opening hours and holidays of `phone.yaml`: is it open at this moment, and if not, why not.

    hours = Hours.model_validate({"open": {"mon-fri": "09:00-17:30", "sat": ["10:00-12:00", "13:00-15:00"]}})
    hours.closed_because(moment, zone, holidays)       # '' when it is open

Times are those of the wall clock in a time zone, so they stay as they are when summer time begins or ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from voicebot.agent.values import OneOrMore, Part, Text
from voicebot.errors import did_you_mean

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAY_MINUTES = 24 * 60


def zone_name(name: str) -> str:
    """Raises ValueError for what is no time zone."""
    if name not in available_timezones():
        raise ValueError(f"unknown time zone '{name}'.{_meant(name)}")
    return name


def _meant(name: str) -> str:
    hint = did_you_mean(name, available_timezones())
    return hint if "Did you mean" in hint else " Write it as Europe/Berlin."


def _span(text: str) -> str:
    parse_span(text)
    return text


def parse_span(text: str) -> tuple[int, int]:
    """'09:00-17:30' as minutes since midnight; one that ends on the next day ends later than 24:00.

    Raises ValueError.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' are no times. Write them as 09:00-17:30.")
    begins, ends = (_minutes(found[1], found[2], text), _minutes(found[3], found[4], text))
    if begins == ends:
        raise ValueError(f"'{text}' has no length. For the whole day write 00:00-24:00.")
    return begins, ends if ends > begins else ends + _DAY_MINUTES


def _minutes(hour: str, minute: str, text: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > _DAY_MINUTES:
        raise ValueError(f"'{text}': there is no {hour}:{minute}. Write times as 09:00-17:30.")
    return minutes


def _days(text: str) -> str:
    parse_days(text)
    return text


def parse_days(text: str) -> tuple[int, ...]:
    """'mon-fri', 'sat' or 'fri-mon' as numbers, Monday is 0. Raises ValueError."""
    first, dash, last = text.strip().lower().partition("-")
    for word in (first, last) if dash else (first,):
        if word not in DAYS:
            raise ValueError(f"'{text}' are no days. Write them as mon, or mon-fri.{did_you_mean(word, DAYS)}")
    begins, ends = DAYS.index(first), DAYS.index(last or first)
    length = (ends - begins) % 7 + 1
    return tuple((begins + offset) % 7 for offset in range(length))


def _holiday(text: str) -> str:
    is_holiday(date(2024, 1, 1), text)
    return text


def is_holiday(day: date, written: str) -> bool:
    """Whether `day` is the one written: 2026-12-24, 12-25 for every year, or 2026-12-24..2027-01-01.

    Raises ValueError for what is no date.
    """
    first, dots, last = (part.strip() for part in written.partition(".."))
    if dots:
        begins, ends = _date(first, written), _date(last, written)
        if ends < begins:
            raise ValueError(f"'{written}' ends before it begins.")
        return begins <= day <= ends
    if re.fullmatch(r"\d{2}-\d{2}", first):
        every = _date(f"2024-{first}", written)  # a leap year: the 29th of February may be a holiday
        return (day.month, day.day) == (every.month, every.day)
    return day == _date(first, written)


def _date(text: str, written: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        sentence = "is no date. Write it as 2026-12-24, 12-25 for every year, or 2026-12-24..2027-01-01."
        raise ValueError(f"'{written}' {sentence}") from None


ZoneName = Annotated[Text, AfterValidator(zone_name)]
Span = Annotated[Text, AfterValidator(_span)]
Days = Annotated[Text, AfterValidator(_days)]
Holiday = Annotated[Text, AfterValidator(_holiday)]


class Hours(Part):
    """When something is open, under a name that rules use."""

    open: dict[Days, OneOrMore[Span]] = Field(min_length=1)
    """Days and times: `{mon-fri: 09:00-17:30, sat: [10:00-12:00, 13:00-15:00]}`. A day that is not here is closed; one
    that is named again has what stands last. `22:00-06:00` ends on the morning after."""
    timezone: ZoneName | None = None
    """Of these hours, such as `Europe/Berlin`; without it, the file's own."""
    holidays: bool = True
    """Whether it is closed on the file's `holidays`."""

    def closed_because(self, moment: datetime, zone: ZoneInfo, holidays: Iterable[str]) -> str:
        """Why it is closed at an aware `moment`, as the end of a sentence; '' when it is open. `zone` and `holidays`
        are the file's."""
        here = moment.astimezone(ZoneInfo(self.timezone) if self.timezone else zone)
        closed = list(holidays) if self.holidays else []
        for back in (1, 0):  # hours that began on the day before may still go on
            day = here.date() - timedelta(days=back)
            if not any(is_holiday(day, each) for each in closed) and self._covers(day, here, back):
                return ""
        return _because(here, closed)

    def _covers(self, day: date, here: datetime, back: int) -> bool:
        minute = here.hour * 60 + here.minute + back * _DAY_MINUTES
        return any(begins <= minute < ends for begins, ends in self._spans(day.weekday()))

    def _spans(self, weekday: int) -> Iterator[tuple[int, int]]:
        spans: list[str] = []
        for days, times in self.open.items():
            if weekday in parse_days(days):
                spans = times
        return (parse_span(span) for span in spans)


def _because(here: datetime, closed: Iterable[str]) -> str:
    if written := next((each for each in closed if is_holiday(here.date(), each)), ""):
        return f"{here:%a %Y-%m-%d} is a holiday ({written})"
    return f"it is {here:%a %Y-%m-%d %H:%M} in {here.tzinfo}"


def clock_time(value: Any) -> time:
    """'21:00'. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", value.strip()) if isinstance(value, str) else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError(f"'{value}' is no time. Write it as 21:00.")
    return time(int(found[1]), int(found[2]))
