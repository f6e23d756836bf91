"""Reading facts out of an agent's words: which day, time, choice, number or name did it just say?

A `Mention` holds every value its words can mean ("at three" is 03:00 or 15:00; "Thursday" is any of the next
Thursdays), so that a careful caller objects only to what cannot be right. All values are strings: ISO dates for
days, HH:MM for times, bare digits for numbers, the keys of the domain file for choices, lower case for names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from text_to_num import alpha2digit

Kind = Literal["choice", "day", "time", "name", "digits"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKS_AHEAD = 5
"""A weekday alone may be any of this many weeks."""


@dataclass(frozen=True)
class Mention:
    values: frozenset[str]
    """All that the words can mean."""
    text: str
    """The words, numbers as digits: fit to be said back."""
    start: int
    end: int


def plain(text: str) -> str:
    """Lower case, straight quotes, number words as digits: what the readers below expect."""
    lowered = text.lower().replace("\u2019", "'").replace("\u2011", "-").replace("a.m.", "am").replace("p.m.", "pm")
    return str(alpha2digit(lowered, "en", threshold=0))


def read(
    kind: Kind, text: str, *, today: date, choices: Mapping[str, Sequence[str]] | None = None, after: Sequence[str] = ()
) -> list[Mention]:
    """Every mention of a fact of `kind` in `text` (as `plain` gives it), in order.

    `choices`: for kind 'choice', each value's spoken forms. `after`: for kind 'name', patterns whose first group is
    the name.
    """
    if kind == "choice":
        found = _choices(text, choices or {})
    elif kind == "day":
        found = _days(text, today)
    elif kind == "time":
        found = _times(text)
    elif kind == "name":
        found = _names(text, after)
    else:
        found = _digits(text)
    return sorted(found, key=lambda mention: mention.start)


def meaning(
    kind: Kind, value: str, *, today: date, choices: Mapping[str, Sequence[str]] | None = None
) -> frozenset[str]:
    """What the caller's own value of a fact may be repeated as. A weekday means the next one, or today's or next
    week's when today is that weekday; a name means itself."""
    if kind == "day":
        dates = sorted({day for mention in _days(plain(value), today) for day in mention.values})
        return frozenset(dates[:2] if plain(value).strip() == WEEKDAYS[today.weekday()] else dates[:1])
    if re.fullmatch(r"\d\d:\d\d", value):
        return frozenset({value})
    if kind == "time":
        return frozenset(v for mention in _times(f"at {plain(value)}") for v in mention.values)
    if kind == "choice":
        return frozenset({value})
    return frozenset({plain(value).replace(" ", "") if kind == "digits" else plain(value)})


def _choices(text: str, choices: Mapping[str, Sequence[str]]) -> Iterator[Mention]:
    """Longest spoken forms first, so that 'whitening' inside 'teeth whitening consultation' is not counted twice."""
    forms = sorted(((form, value) for value, said in choices.items() for form in said), key=lambda f: -len(f[0]))
    taken: list[range] = []
    for form, value in forms:
        for match in re.finditer(rf"\b{re.escape(plain(form))}\b", text):
            if not any(match.start() in span for span in taken):
                taken.append(range(*match.span()))
                yield _mention({value}, match)


def _days(text: str, today: date) -> Iterator[Mention]:
    """'thursday', 'thursday the 27th of november', 'november 27', 'tomorrow', 'today'."""
    months = "|".join(month[:3] + (f"(?:{month[3:]})?" if month[3:] else "") for month in _MONTHS)
    number = r"(?P<{0}>\d{{1,2}})(?:st|nd|rd|th)?"
    on_date = (
        rf"(?:the )?(?:{number.format('d1')} (?:of )?(?P<m1>{months})|(?P<m2>{months}) (?:the )?{number.format('d2')})"
    )
    weekday = rf"(?P<weekday>{'|'.join(WEEKDAYS)})"
    nth = r"the (?P<d3>\d{1,2})(?:st|nd|rd|th)"
    pattern = rf"\b(?:{weekday}(?:,? (?:on )?(?:{on_date}|{nth}))?|{_unnamed(on_date)}|(?P<near>today|tomorrow))\b"
    for match in re.finditer(pattern, text):
        yield _mention({day.isoformat() for day in _dates(match.groupdict(), today)}, match)


def _unnamed(pattern: str) -> str:
    """The same pattern again under other group names: a regular expression names a group once."""
    return re.sub(r"\?P<(\w+)>", r"?P<\1_>", pattern)


def _dates(found: Mapping[str, str | None], today: date) -> list[date]:
    """The dates of the coming weeks (a year for a named month) that a match of `_days` can mean."""
    if found["near"]:
        return [today + timedelta(days=1 if found["near"] == "tomorrow" else 0)]
    groups = {name.rstrip("_"): value for name, value in found.items() if value}
    month = next((groups[name] for name in ("m1", "m2") if name in groups), None)
    day = next((int(groups[name]) for name in ("d1", "d2", "d3") if name in groups), None)
    ahead = 366 if month else 7 * _WEEKS_AHEAD
    dates = [today + timedelta(days=n) for n in range(ahead)]
    if month:
        dates = [d for d in dates if _MONTHS[d.month - 1].startswith(month[:3])]
    if day:
        dates = [d for d in dates if d.day == day]
    if "weekday" in groups:
        dates = [d for d in dates if WEEKDAYS[d.weekday()] == groups["weekday"]]
    return dates


_HALF = r"(?P<part>morning|afternoon|evening|night)"
_TIMES = re.compile(
    r"\b(?:"
    r"(?P<past>half|quarter|(?<!from )\d{1,2})(?: minutes?)? (?P<way>past|to) (?P<hour1>\d{1,2})(?! ?[ap]m)"
    r"|(?P<hour2>\d{1,2})(?:[: ](?P<minute2>\d{2}))? ?(?P<half2>am|pm)"
    r"|(?P<hour3>\d{1,2})[: ](?P<minute3>[0-5][05])(?! \d)"
    r"|(?P<hour4>\d{1,2}) o'clock"
    r"|(?:at|or|and|for|have|from|around) (?P<hour5>\d{1,2})"
    r"(?![\d:]|th|st|nd|rd|,? \d| ?(?:am|pm|o'clock|past|minute|hour|day|week|month|year|dollar))"
    r"|(?P<hour6>\d{1,2})(?=(?:, \d{1,2})*,? (?:or|and) \d{1,2}\b| in the (?:morning|afternoon|evening))"
    r"|(?P<word>noon|midday|midnight)"
    rf")(?: in the {_HALF}| at night)?"
)


_HOURS = ("hour1", "hour2", "hour3", "hour4", "hour5", "hour6")


def _times(text: str) -> Iterator[Mention]:
    for match in _TIMES.finditer(text):
        values = _clock_times({name: value for name, value in match.groupdict().items() if value})
        if values:
            start = match.start("hour5") if match["hour5"] else match.start()
            yield Mention(frozenset(values), match.string[start : match.end()], start, match.end())


def _clock_times(found: Mapping[str, str]) -> set[str]:
    """HH:MM for a match of `_TIMES`; both halves of the day when the words leave it open; nothing if no such time."""
    if "word" in found:
        return {"00:00" if found["word"] == "midnight" else "12:00"}
    hour = next(int(found[name]) for name in _HOURS if name in found)
    minute = int(next((found[name] for name in ("minute2", "minute3") if name in found), 0))
    if "past" in found:
        distance = {"half": 30, "quarter": 15}.get(found["past"]) or int(found["past"])
        hour, minute = (hour, distance) if found["way"] == "past" else (hour - 1, 60 - distance)
    if hour > 23 or minute > 59:
        return set()
    hours = {hour} if hour > 12 else {hour % 12, hour % 12 + 12}
    half = found.get("half2") or {"morning": "am", None: ""}.get(found.get("part"), "pm")
    if half and hour <= 12:
        hours = {h for h in hours if (h >= 12) == (half == "pm")}
    return {f"{h:02d}:{minute:02d}" for h in hours}


def _names(text: str, after: Sequence[str]) -> Iterator[Mention]:
    for pattern in after:
        for match in re.finditer(pattern, text):
            start, end = match.span(1)
            yield Mention(frozenset({match[1].strip()}), match[1].strip(), start, end)


def _digits(text: str) -> Iterator[Mention]:
    """Runs of three digits or more, however they are grouped."""
    for match in re.finditer(r"\d(?:[ ,.-]*\d){2,}", text):
        yield _mention({re.sub(r"\D", "", match[0])}, match)


def _mention(values: set[str], match: re.Match[str]) -> Mention:
    return Mention(frozenset(values), match[0], *match.span())
