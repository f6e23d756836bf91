"""Values and sentences as the agent speaks them: dates, times and numbers in words that every TTS reads well."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from num2words import num2words

from voicebot.brain.nlu import phones, times
from voicebot.flow import Flow, placeholders

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK = re.compile(r"[0-2]\d:[0-5]\d")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_HOURS = ("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
_PARTS = {"any": "any time", "morning": "the morning", "afternoon": "the afternoon", "evening": "the evening"}


class Wording:
    """Speaks a flow's values. `today` decides whether a date needs its year."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._opening = times.Opening.of(flow.hours.open, flow.hours.close)

    def value(self, name: str, value: Any, today: date) -> str:
        """A slot's value, or a key of a tool's result, in words."""
        slot = self._flow.slots.get(name)
        kind = slot.type if slot else None
        if isinstance(value, list | tuple):
            return listed([self.value(name, each, today) for each in value])
        if kind == "phone":
            groups = phones.national(str(value), self._flow.region).split()
            return ", ".join(spelled(group) for group in groups)
        if kind == "code":
            return spelled(str(value))
        if kind == "money":
            return str(num2words(float(value), to="currency", currency=self._flow.currency)).replace(", zero cents", "")
        if isinstance(value, bool) or value is None:
            return "yes" if value else "none"
        if isinstance(value, int | float):
            return str(num2words(value))
        return self._text(str(value), today)

    def _text(self, text: str, today: date) -> str:
        if _ISO_DATE.fullmatch(text):
            return day(date.fromisoformat(text), today)
        if _CLOCK.fullmatch(text):
            return self.clock(text)
        return _PARTS.get(text, text)

    def clock(self, time: str) -> str:
        """ "14:30" -> "half past two", with the half of the day only where opening hours leave both open."""
        minute = times.minutes(time)
        if minute == 12 * 60:
            return "noon"
        other = (minute + 12 * 60) % (24 * 60)
        clear = self._opening.has(minute) and not self._opening.has(other)
        hour = minute // 60
        part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
        return _clock_words(hour, minute % 60) + ("" if clear else f" in the {part}")

    def sentence(self, template: str, known: Mapping[str, Any], today: date) -> str:
        """The sentence with its values; bracketed parts only where all of theirs are known."""
        return self.with_last_value(template, known, today)[0]

    def with_last_value(self, template: str, known: Mapping[str, Any], today: date) -> tuple[str, str]:
        """(the sentence, the sentence up to the end of its last value)."""
        pieces = _OPTIONAL.sub(lambda part: part[1] if _all_known(part[1], known) else "", template)
        said, until = "", ""
        for place, piece in enumerate(re.split(r"\{([A-Za-z_]\w*)\}", pieces)):
            if place % 2 == 0:
                said += piece
                continue
            value = self.value(piece, known.get(piece), today)
            if re.search(r"\b[Aa] $", said) and value[:1].lower() in "aeiou":
                said = said[:-1] + "n "
            said += value
            until = said
        return _first_capital(said), until


def _all_known(part: str, known: Mapping[str, Any]) -> bool:
    return all(known.get(name) is not None for name in placeholders(part))


def _first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def day(value: date, today: date) -> str:
    """ "Tuesday the first of December", with the year when it is more than ten months away."""
    words = f"{value:%A} the {ordinal(value.day)} of {value:%B}"
    return f"{words} {num2words(value.year, to='year')}" if abs((value - today).days) > 300 else words


def ordinal(number: int) -> str:
    return str(num2words(number, to="ordinal"))


def _clock_words(hour: int, minute: int) -> str:
    this, following = _HOURS[hour % 12], _HOURS[(hour + 1) % 12]
    fixed = {0: f"{this} o'clock", 15: f"quarter past {this}", 30: f"half past {this}", 45: f"quarter to {following}"}
    if minute in fixed:
        return fixed[minute]
    return f"{this} {'oh ' if minute < 10 else ''}{num2words(minute)}".replace("-", " ")


def spelled(text: str) -> str:
    """Character by character: "44K" -> "four four K"."""
    return " ".join(str(num2words(int(each))) if each.isdigit() else each for each in text)


def listed(words: Sequence[str]) -> str:
    """ "nine, ten or half past two"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else "none"
