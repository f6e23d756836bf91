"""Times of day as people say them. The value is "HH:MM", or a wish: "morning", "afternoon", "evening", "any",
"after HH:MM", "before HH:MM". Opening hours settle what has no "am" or "pm"; if both fit, both come back as options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .text import Mention, Utterance, whole_words

WISHES = ("any", "morning", "afternoon", "evening")

_HEARD_AS = {"to": 2, "too": 2, "for": 4, "won": 1, "ate": 8}
"""What a recogniser writes for an hour where only an hour can stand."""

_H = r"(?P<h>1\d|2[0-3]|0?\d)"
_BARE_H = r"(?P<h>1\d|2[0-3]|[1-9])"
_LOOSE_H = r"(?P<h>1[0-2]|0?\d|to|too|for|won|ate)"
_PAST = r"(?:past|passed|after)"
_TO = r"(?:to|of|till|before|until)"
_HALF_DAY = r"(?: (?P<m12>am|pm|(?:(?:in )?the )?(?:morning|afternoon|evening)|at night))?"
_OCLOCK = r"(?: (?:o'clock|oclock|o clock|sharp))?"


@dataclass(frozen=True)
class Opening:
    """From when to when, in minutes after midnight."""

    opens: int
    closes: int

    @classmethod
    def of(cls, opens: str, closes: str) -> Opening:
        return cls(minutes(opens), minutes(closes))

    def has(self, minute: int) -> bool:
        return self.opens <= minute <= self.closes


def minutes(clock: str) -> int:
    """Minutes after midnight of "HH:MM"."""
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def clock(minute: int) -> str:
    """ "HH:MM" of minutes after midnight."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def is_wish(value: object) -> bool:
    """Whether a value says when it would suit, not an exact time."""
    return isinstance(value, str) and (value in WISHES or value.startswith(("after ", "before ")))


def find_times(utterance: Utterance, opening: Opening, options: Sequence[str] = ()) -> list[Mention]:
    """Every time mentioned, left to right. `options` are times just offered: "ten" then means the one on offer."""
    found: list[Mention] = []
    for pattern, sure in _PATTERNS:
        for start, end, match in utterance.without(found).find(pattern):
            mention = _mention(match, opening, options)
            if mention is not None:
                value, readings = mention
                found.append(Mention("time", value, start, end, sure=sure, options=readings))
    return sorted(found, key=lambda each: each.start)


def _mention(
    match: re.Match[str], opening: Opening, options: Sequence[str]
) -> tuple[str | None, tuple[str, ...]] | None:
    """(value, ()) or (None, readings), or None when the match is no time."""
    groups = match.groupdict()
    if groups.get("wish"):
        return _wish(groups["wish"]), ()
    minute = _minute_of_day(groups)
    if minute is None:
        return None
    half_day = _half_day(groups, minute)
    readings = _readings(minute, half_day, opening, options)
    limit = groups.get("limit")
    if limit and len(readings) == 1:
        return f"{'before' if limit in ('before', 'until', 'by') else 'after'} {clock(readings[0])}", ()
    if len(readings) == 1:
        return clock(readings[0]), ()
    return None, tuple(clock(each) for each in readings)


def _minute_of_day(groups: dict[str, str | None]) -> int | None:
    if groups.get("noon"):
        return 0 if groups["noon"] == "midnight" else 12 * 60
    said = groups["h"] or ""
    hour = _HEARD_AS.get(said) if said in _HEARD_AS else int(said)
    if hour is None or hour > 23:
        return None
    past = int(groups.get("min") or 0)
    if groups.get("quarter"):
        past = 30 if groups["quarter"] == "half" else 15
    total = hour * 60 + past
    if groups.get("to"):
        total = hour * 60 - past
    return total % (24 * 60)


def _half_day(groups: dict[str, str | None], minute: int) -> str | None:
    """am, pm or None; a 24-hour time needs none."""
    if groups.get("noon") or minute >= 13 * 60 or (groups.get("h") or "").startswith("0"):
        return "24"
    said = groups.get("m12")
    if not said:
        return None
    if said == "am" or "morning" in said:
        return "am"
    return "pm"


def _readings(minute: int, half_day: str | None, opening: Opening, options: Sequence[str]) -> list[int]:
    """The times of day that may be meant, in minutes."""
    if half_day == "24":
        return [minute]
    morning = minute % (12 * 60)
    evening = morning + 12 * 60
    if half_day:
        return [morning if half_day == "am" else evening]
    offered = [each for each in (morning, evening) if clock(each) in options]
    if len(offered) == 1:
        return offered
    fitting = [each for each in (morning, evening) if opening.has(each)]
    if fitting:
        return fitting
    return [evening if morning < 7 * 60 else morning]


def _wish(said: str) -> str:
    for part in ("morning", "afternoon", "evening"):
        if part in said:
            return part
    if "night" in said:
        return "evening"
    if "lunch" in said:
        return "afternoon" if "after" in said else "morning"
    return "any"


def _patterns() -> Iterator[tuple[re.Pattern[str], bool]]:
    """(pattern, sure), from the most to the least specific."""
    limit = r"(?P<limit>after|before|until|by|not before|no earlier than) "
    yield whole_words(rf"(?:at |around |about )?(?P<quarter>half|(?:a )?quarter) {_PAST} {_LOOSE_H}{_HALF_DAY}"), True
    yield whole_words(rf"(?:at |around |about )?(?:a )?(?P<quarter>quarter) (?P<to>{_TO}) {_LOOSE_H}{_HALF_DAY}"), True
    yield whole_words(rf"(?:at |around |about )?(?P<quarter>half) {_LOOSE_H}{_HALF_DAY}"), True
    step = r"(?P<min>5|10|20|25|\d\d?(?= minutes?))(?: minutes?)?"
    yield whole_words(rf"(?:at |around |about )?{step} {_PAST} {_LOOSE_H}{_HALF_DAY}"), True
    yield whole_words(rf"(?:at |around |about )?{step} (?P<to>{_TO}) {_LOOSE_H}{_HALF_DAY}"), True
    yield whole_words(rf"{limit}{_H}(?:(?::| )(?P<min>[0-5]\d))?{_OCLOCK}{_HALF_DAY}"), True
    exact = rf"(?:at |around |about |for )?{_H}(?::| )(?P<min>[0-5]\d)(?! ?\d){_OCLOCK}{_HALF_DAY}"
    yield whole_words(exact), True
    yield whole_words(rf"(?:at |around |about )?{_H} (?:oh|o|0) (?P<min>\d)(?! \d){_HALF_DAY}"), True
    yield whole_words(r"(?:at |around )?(?P<h>1\d|2[0-3]|0\d)(?P<min>00)(?: hours)?"), True
    yield whole_words(rf"(?:at |around |about )?{_H} (?:o'clock|oclock|o clock|sharp){_HALF_DAY}"), True
    required = _HALF_DAY.removesuffix("?")
    yield whole_words(rf"(?:at |around |about )?{_H}{required}"), True
    yield whole_words(r"(?:at |around )?(?:12 )?(?P<noon>noon|midday|midnight)"), True
    yield whole_words(rf"(?:at|around) {_BARE_H}(?! ?\d)"), True
    parts = (
        r"(?P<wish>(?:any ?time |sometime |early |late |first thing )*(?:in |on |during )?(?:the |this )?"
        r"(?<!good )(?:morning|afternoon|evening)s?|tonight|at night|(?:before|after) lunch)"
    )
    yield whole_words(parts), True
    openly = (
        r"(?P<wish>any ?time|when ?ever|(?:the )?earliest(?: you have| possible| time)?|as early as possible|"
        r"what (?:times? )?(?:do|have) you (?:have|got)(?: available| free)?|what(?:'s| is) (?:available|free|open)|"
        r"what times? (?:is|are) (?:available|free|open)|(?:the )?first (?:available|slot|time)|first thing)"
    )
    yield whole_words(openly), False
    yield whole_words(rf"(?<!\d ){_BARE_H}(?:ish)?(?! ?\d)"), False


_PATTERNS = tuple(_patterns())
