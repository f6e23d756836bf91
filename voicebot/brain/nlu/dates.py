"""Days as people say them, resolved against a reference date.

"tuesday" and "this tuesday" are the first one after today; "next tuesday" is the one in the next calendar week, which
begins on Monday. Days without a year or month lie ahead. The value is ISO 8601 ("2026-12-01"), or "any" for a caller
who leaves it open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from .text import Mention, Utterance, whole_words

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")  # fmt: skip
_SHORT = {name[:3]: name for name in (*WEEKDAYS, *MONTHS)} | {
    "tues": "tuesday", "wednes": "wednesday", "thur": "thursday", "thurs": "thursday", "sept": "september"}  # fmt: skip

_PLAIN_MONTHS = tuple(month for month in MONTHS if month != "may")
_WEEKDAY = "(?P<weekday>" + "|".join((*WEEKDAYS, "mon", "tues?", "wed", "thu(?:rs?)?", "fri")) + ")"
_MONTH = f"(?P<month>{'|'.join(_PLAIN_MONTHS)}|may(?! (?:i|we|you) )|jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec)"
_NTH = r"(?P<nth>(?:[12]?\d|3[01])(?:st|nd|rd|th))"
_DAY = r"(?P<day>(?:[12]?\d|3[01])(?:st|nd|rd|th)?)"
_YEAR = r"(?: (?:in )?(?P<year>20\d\d|20 [2-9]\d))?"
_COUNT = r"(?P<count>an?|\d+|couple of|a couple of)"

Resolve = Callable[[re.Match[str], date], "date | tuple[date, ...] | str | None"]


def find_dates(utterance: Utterance, today: date) -> list[Mention]:
    """Every day mentioned, left to right. Two readings ("tuesday the second", which is a Wednesday) become options."""
    found: list[Mention] = []
    no_days: list[Mention] = []  # "february thirtieth": nor is a part of it one
    for pattern, resolve in _PATTERNS:
        for start, end, match in utterance.without([*found, *no_days]).find(pattern):
            value = resolve(match, today)
            if value is None:
                no_days.append(Mention("date", None, start, end))
            elif isinstance(value, tuple):
                found.append(Mention("date", None, start, end, options=tuple(each.isoformat() for each in value)))
            else:
                text = value if isinstance(value, str) else value.isoformat()
                found.append(Mention("date", text, start, end, sure=not _is_bare(match)))
    return sorted(found, key=lambda mention: mention.start)


def _is_bare(match: re.Match[str]) -> bool:
    """A lone "fifth" is a date only when a date was asked for."""
    return re.fullmatch(_NTH, match[0]) is not None


def _name(said: str) -> str:
    return _SHORT.get(said, _SHORT.get(said[:3], said)) if said not in (*WEEKDAYS, *MONTHS) else said


def _coming(weekday: str, after: date) -> date:
    """The first such weekday strictly after a date."""
    ahead = (WEEKDAYS.index(_name(weekday)) - after.weekday() - 1) % 7 + 1
    return after + timedelta(days=ahead)


def _in_week(weekday: str, day: date) -> date:
    """That weekday in the Monday-to-Sunday week of a date."""
    return day - timedelta(days=day.weekday()) + timedelta(days=WEEKDAYS.index(_name(weekday)))


def _weekday(match: re.Match[str], today: date) -> date:
    which = (match["which"] or "").split()
    if match["later"] or "next" in which:
        return _in_week(match["weekday"], today + timedelta(days=7))
    if "last" in which:
        return _coming(match["weekday"], today) - timedelta(days=7)
    return _coming(match["weekday"], today)


def _week_from(match: re.Match[str], today: date) -> date:
    weeks = _counted(match["count"])
    anchor = match["anchor"]
    if anchor in ("today", "now"):
        start = today
    elif anchor == "tomorrow":
        start = today + timedelta(days=1)
    else:
        start = _coming(anchor, today)
    return start + timedelta(weeks=weeks)


def _counted(said: str) -> int:
    if "couple" in said:
        return 2
    return 1 if said in ("a", "an") else int(said)


def _ahead(match: re.Match[str], today: date) -> date | None:
    count, unit = _counted(match["count"]), match["unit"].rstrip("s")
    if count > 400:
        return None
    units = {"day": timedelta(days=count), "week": timedelta(weeks=count), "fortnight": timedelta(weeks=2 * count)}
    return today + (units[unit] if unit in units else relativedelta(months=count))


def _number(said: str) -> int:
    return int(re.sub(r"\D", "", said))


def _calendar_day(month: int, day: int, year: int | None, today: date) -> date | None:
    """That day; without a year the next time it comes round. None for a day that does not exist."""
    for candidate in (year,) if year else (today.year, today.year + 1, today.year + 2, today.year + 3, today.year + 4):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if year or found >= today:
            return found
    return None


def _month_day(match: re.Match[str], today: date) -> date | tuple[date, ...] | None:
    month = MONTHS.index(_name(match["month"])) + 1
    year = _number(match["year"]) if match["year"] else None
    return _checked(match, _calendar_day(month, _number(match["day"]), year, today), today)


def _day_of_month(match: re.Match[str], today: date) -> date | tuple[date, ...] | None:
    """ "the fifth": in this month, or in the next month that has one."""
    day, first = _number(match["nth"]), today.replace(day=1)
    ahead = [first + relativedelta(months=n, day=day) for n in range(4)]
    fitting = [each for each in ahead if each.day == day and each >= today]
    return _checked(match, fitting[0], today) if fitting else None


def _checked(match: re.Match[str], found: date | None, today: date) -> date | tuple[date, ...] | None:
    """With a weekday beside it that does not fit: both readings."""
    weekday = match.groupdict().get("weekday")
    if found is None or not weekday or found.weekday() == WEEKDAYS.index(_name(weekday)):
        return found
    nearest = _in_week(weekday, found)
    return tuple(each for each in (found, nearest) if each >= today) if nearest >= today else found


def _iso(match: re.Match[str], today: date) -> date | None:
    return _calendar_day(int(match["m"]), int(match["d"]), int(match["y"]), today)


def _slashes(match: re.Match[str], today: date) -> date | None:
    """Month first, as in the United States, unless only the other order is a date."""
    first, second, year = int(match["m"]), int(match["d"]), match["y"]
    full = (int(year) + 2000 if len(year) == 2 else int(year)) if year else None
    return _calendar_day(first, second, full, today) if first <= 12 else _calendar_day(second, first, full, today)


def _plus(days: int) -> Resolve:
    return lambda _match, today: today + timedelta(days=days)


def _open(_match: re.Match[str], _today: date) -> str:
    return "any"


def _patterns() -> Iterator[tuple[re.Pattern[str], Resolve]]:
    """From the most to the least specific: what one has used, the next cannot see."""
    yield whole_words(r"(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)"), _iso
    yield whole_words(r"(?P<m>\d\d?)/(?P<d>\d\d?)(?:/(?P<y>(?:20)?\d\d))?"), _slashes
    anchor = f"(?:(?:this|next|coming) )?(?P<anchor>today|now|tomorrow|{'|'.join(WEEKDAYS)})"
    yield whole_words(rf"(?:in )?{_COUNT} weeks? (?:from|after) {anchor}"), _week_from
    lead = rf"(?:(?:on |this |next |coming )*{_WEEKDAY} )?"
    yield whole_words(rf"{lead}(?:the )?{_DAY} (?:of )?{_MONTH}{_YEAR}"), _month_day
    yield whole_words(rf"{lead}{_MONTH} (?:the )?{_DAY}(?! (?:am|pm|o'clock)){_YEAR}"), _month_day
    yield whole_words(rf"(?:on |next |this )?{_WEEKDAY} (?:the )?{_NTH}"), _day_of_month
    yield whole_words(r"(?:the )?day after tomorrow"), _plus(2)
    yield whole_words(r"(?:the )?day before yesterday"), _plus(-2)
    yield whole_words("yesterday"), _plus(-1)
    yield whole_words("tomorrow"), _plus(1)
    yield whole_words("today|tonight"), _plus(0)
    yield whole_words(rf"(?P<later>next week) (?:on )?{_WEEKDAY}(?P<which>)"), _weekday
    which = r"(?P<which>(?:(?:this|next|last|coming|following) )*)"
    yield whole_words(rf"{which}{_WEEKDAY}(?P<later> (?:next|the following) week| week(?!\S))?"), _weekday
    yield whole_words(rf"in {_COUNT} (?P<unit>days?|weeks?|months?|fortnights?)(?: time)?"), _ahead
    yield whole_words(rf"{_COUNT} (?P<unit>days?|weeks?|months?) (?:from now|from today|later)"), _ahead
    yield whole_words(rf"(?:on )?the {_NTH}(?! (?:one|choice|option|time|§))"), _day_of_month
    yield whole_words(rf"{_NTH}(?! (?:one|choice|option|time))"), _day_of_month
    yield whole_words(_OPEN), _open


_OPEN = (
    r"any ?day|any date|(?:as )?soon as possible|asap|(?:the )?(?:next|earliest|first|soonest) "
    r"(?:available|possible|free)(?: (?:day|date|appointment|slot))?|whichever day|earliest day|next opening"
)
_PATTERNS = tuple(_patterns())
