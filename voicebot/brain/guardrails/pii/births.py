"""Dates of birth: a date near words that speak of a birth, or one long past that was asked for or said alone."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources

import yaml
from num2words import num2words

from voicebot.brain.guardrails.pii.numbers import LANGUAGES
from voicebot.brain.guardrails.pii.scene import Private, Scene
from voicebot.brain.guardrails.reading import fold

BEFORE, AFTER = 12, 10
"""Tokens between a cue and the date, at most."""
_LINKS = frozenset(". , - / of the de del do di the in im le il el den der year".split())
_NO_BIRTH = frozenset("party cake celebration present gift card dinner special discount weekend month week".split())
_PAST = (1900, 4)
"""Nobody who calls was born before that year; a date without a cue is one of birth when so many years have passed."""


@dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    """day, month, year or number (a day, a month or a year)."""
    value: str
    first: int
    end: int


@lru_cache(maxsize=1)
def _calendar() -> tuple[dict[str, int], dict[str, int]]:
    """(names of months, ordinals up to the 31st) of all languages."""
    data: dict[str, str] = yaml.load((resources.files(__package__) / "births.yaml").read_bytes(), yaml.CSafeLoader)
    months = {
        fold(name): number
        for line in data.values()
        for number, names in enumerate(line.split(), 1)
        for name in names.split("|")
    }
    ordinals: dict[str, int] = {}
    for language in LANGUAGES:
        for day in range(1, 32):
            said = fold(str(num2words(day, lang=language, to="ordinal"))).replace("-", " ")
            for form in (said, f"{said}r", f"{said}n"):
                ordinals.setdefault(form, day)
    return months, ordinals


def find(scene: Scene) -> Iterator[Private]:
    cues = scene.cues.places("birth")
    for parts in _dates(scene):
        first, end = parts[0].first, parts[-1].end
        beside = [cue for cue in _between(cues, first - BEFORE, end + AFTER) if not first < cue < end]
        near = bool(beside)
        party = any(scene.reading.token(cue + 1) in _NO_BIRTH for cue in beside)
        told = (near and not party) or "birth" in scene.asked
        if (told and _may_be_one(parts)) or (
            _is_long_past(parts) and scene.is_bare(first, end) and scene.side == "caller"
        ):
            yield scene.private("birth_date", _value(scene, parts), first, end, 0.95 if told else 0.6)


def _between(places: list[int], first: int, last: int) -> list[int]:
    """Of places in order those from `first` to `last`."""
    return places[bisect_left(places, first) : bisect_right(places, last)]


def _dates(scene: Scene) -> Iterator[list[_Part]]:
    """Stretches of days, months and years with nothing but links between."""
    if not scene.cues.places("birth") and "birth" not in scene.asked and len(scene.reading) > 24:
        return
    parts: list[_Part] = []
    place = 0
    while place < len(scene.reading):
        part = _part(scene, place, parts)
        if part:
            parts.append(part)
            place = part.end
            continue
        word = scene.reading.tokens[place]
        if parts and (word not in _LINKS and word not in scene.numerals.fillers):
            yield parts
            parts = []
        place += 1
    if parts:
        yield parts


def _part(scene: Scene, place: int, before: list[_Part]) -> _Part | None:
    word = scene.reading.tokens[place]
    months, ordinals = _calendar()
    if word in months and (
        word not in ("may", "march", "mar", "set", "mai", "ago", "dic") or before or _is_day(scene, place + 1)
    ):
        return _Part("month", str(months[word]), place, place + 1)
    for length in (3, 2, 1):
        spoken = scene.reading.tokens[place : place + length]
        said = " ".join(each for each in spoken if each != "-")
        if (
            len(spoken) == length
            and spoken[-1] != "-"
            and said in ordinals
            and not (word == "second" and not before and not _is_month_near(scene, place))
        ):
            return _Part("day", str(ordinals[said]), place, place + length)
    if (
        word.isdigit()
        and scene.reading.token(place + 1) in ("st", "nd", "rd", "th", "er")
        and scene.reading.glued(place + 1)
    ):
        return _Part("day", word, place, place + 2)
    if word.isdigit() and len(word) <= 8:
        return _Part("number", word, place, place + 1)
    piece = scene.dictation.piece(place, None)
    return _Part("number", piece.digits, place, piece.end) if piece and len(piece.digits) <= 4 else None


def _is_day(scene: Scene, place: int) -> bool:
    word = scene.reading.token(place)
    if word == "the":
        return True
    return word.isdigit() or word in _calendar()[1] or scene.dictation.piece(place, None) is not None


def _is_month_near(scene: Scene, place: int) -> bool:
    return any(scene.reading.token(at) in _calendar()[0] for at in range(place - 2, place + 4))


def _may_be_one(parts: list[_Part]) -> bool:
    """A month with a day or a year, a year of this or the last century, or enough digits for a whole date."""
    kinds, digits = [part.kind for part in parts], "".join(part.value for part in parts if part.kind == "number")
    if "month" in kinds:
        return len(parts) > 1
    if "day" in kinds and len(digits) >= 2:
        return True
    return (
        5 <= len(digits) <= 8 or bool(re.fullmatch(r"(?:19|20)\d\d", digits)) or (len(digits) == 4 and len(parts) >= 3)
    )


def _year(parts: list[_Part]) -> int:
    digits = "".join(part.value for part in parts if part.kind == "number")
    found = re.search(r"(?:^\d{0,2}|^\d{4}|^\d{3})((?:19|20)\d\d)$", digits) or re.match(
        r"((?:19|20)\d\d)\d{4}$", digits
    )
    return int(found[1]) if found else 0


def _is_long_past(parts: list[_Part]) -> bool:
    """A whole date with a year in which a caller may have been born."""
    month = any(part.kind == "month" for part in parts)
    whole = (month and len(parts) >= 3) or len("".join(part.value for part in parts)) >= 7
    today = date.today()
    return whole and _PAST[0] <= _year(parts) <= today.year - _PAST[1]


def _value(scene: Scene, parts: list[_Part]) -> str:
    """ISO 8601 when the month was named, else as it was said."""
    raw = scene.reading.raw[scene.reading.starts[parts[0].first] : scene.reading.ends[parts[-1].end - 1]]
    months = [int(part.value) for part in parts if part.kind == "month"]
    numbers = "".join(part.value for part in parts if part.kind != "month")
    year = re.search(r"(?:19|20)\d\d$", numbers)
    day = numbers[: year.start()] if year else ""
    if len(months) != 1 or not year or not day.isdigit() or not 1 <= int(day) <= 31:
        return raw
    return f"{year[0]}-{months[0]:02}-{int(day):02}"
