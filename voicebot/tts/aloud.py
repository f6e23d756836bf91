"""How written words are said: numbers, money, dates, times, addresses of e-mails, codes, abbreviations, and the agent's
own pronunciations. What stands in the transcript stays as it was written; only the voice gets these words.

    Reading("Dr. Lee, $12.50 at 8:30 am", "en").spoken  # 'doctor Lee, twelve dollars, fifty cents at eight thirty a m'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache

from num2words import num2words

_DIGITS = "zero one two three four five six seven eight nine".split()
_MONTHS = "january february march april may june july august september october november december".split()
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP"}
_SPOKEN_SIGNS = {
    "en": {
        "@": "at",
        ".": "dot",
        "_": "underscore",
        "-": "dash",
        "/": "slash",
        "%": "percent",
        "&": "and",
        "+": "plus",
    },
    "de": {"@": "ät", ".": "Punkt", "_": "Unterstrich", "-": "Minus", "/": "Schrägstrich", "%": "Prozent", "&": "und"},
    "es": {"@": "arroba", ".": "punto", "_": "guion bajo", "-": "guion", "/": "barra", "%": "por ciento", "&": "y"},
    "fr": {"@": "arobase", ".": "point", "_": "tiret bas", "-": "tiret", "/": "barre", "%": "pour cent", "&": "et"},
    "it": {"@": "chiocciola", ".": "punto", "_": "trattino basso", "-": "trattino", "%": "per cento", "&": "e"},
    "nl": {"@": "apenstaartje", ".": "punt", "_": "laag streepje", "-": "streepje", "%": "procent", "&": "en"},
    "pt": {"@": "arroba", ".": "ponto", "_": "sublinhado", "-": "hífen", "/": "barra", "%": "por cento", "&": "e"},
}
_ABBREVIATIONS = {
    "dr.": "doctor",
    "mr.": "mister",
    "mrs.": "missus",
    "ms.": "miz",
    "prof.": "professor",
    "jr.": "junior",
    "sr.": "senior",
    "vs.": "versus",
    "approx.": "approximately",
    "dept.": "department",
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera",
    "a.m.": "a m",
    "p.m.": "p m",
    "ave.": "avenue",
    "blvd.": "boulevard",
    "apt.": "apartment",
}
_UNITS = {"km": "kilometers", "m": "meters", "cm": "centimeters", "mm": "millimeters", "kg": "kilograms", "g": "grams"}
_UNITS |= {
    "mg": "milligrams",
    "ml": "milliliters",
    "mph": "miles an hour",
    "lb": "pounds",
    "lbs": "pounds",
    "hz": "hertz",
}

_PATTERNS = {
    "email": r"(?<!\S)[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "web": r"(?:https?://|www\.)\S*\w|(?<![\w.])[a-z][\w-]*\.(?:com|org|net|io|co\.uk|de|fr|es|eu)(?:/\S*\w)?\b",
    "money": r"[$€£]\s?\d+(?:,\d{3})*(?:\.\d{2})?(?![\d.]*\d)|\b\d+(?:,\d{3})*(?:\.\d{2})?\s?[€£]",
    "isodate": r"\b\d{4}-\d{2}-\d{2}\b",
    "time": r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?:\s?[ap]\.?m\b\.?)?|\b(?:1[0-2]|[1-9])\s?[ap]\.?m\b\.?",
    "percent": r"-?\d+(?:\.\d+)?\s?%",
    "phone": r"(?<![\w.])(?:\+\d[\d ()-]{6,}\d|\(\d{3}\) ?\d{3}[ -]\d{4}|\d{3}[- ]\d{3}[- ]\d{4})(?!\w)",
    "unit": r"(?<![\w.])\d+(?:\.\d+)?\s?(?:km|cm|mm|kg|mg|ml|mph|lbs?|[mg])\b",
    "ordinal": r"\b\d+(?:st|nd|rd|th)\b",
    "code": r"\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)*\b|\b0\d+\b|(?<![\d.,])\d{5,}\b(?![.,]\d)",
    "year": r"(?<=\b[Ii]n )(?:19|20)\d{2}\b|(?<=[a-z] \d, )(?:19|20)\d{2}\b|(?<=[a-z] \d\d, )(?:19|20)\d{2}\b",
    "number": r"(?<![\w.,])-?\d+(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.,])-?\d+(?:\.\d+)?(?!\w|,\d)",
    "abbreviation": r"\b(?:" + "|".join(re.escape(word) for word in _ABBREVIATIONS) + r")(?=\s|$|,)",
    "number_sign": r"(?<!\w)(?:No\.|#)\s?(?=\d)",
    "ampersand": r"(?<=\s)&(?=\s)",
}
_RULES = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), re.IGNORECASE)
_ENGLISH_ONLY = {"isodate", "time", "unit", "ordinal", "year", "abbreviation", "number_sign", "phone", "code"}
"""In other languages these are left to the voice, which knows its own."""


class Reading:
    """A clause as it is written and as it is said."""

    def __init__(self, text: str, language: str, lexicon: Mapping[str, str] | None = None) -> None:
        """`lexicon`: words or phrases of the agent and how they are said; it goes before every rule."""
        self.words = text.split()
        self._shown = [match.span() for match in re.finditer(r"\S+", text)]
        self._first: list[int] = []
        """For each word as written, the number of the word that is said for it."""
        said: list[str] = []
        parts = list(_parts(text, language.partition("-")[0], language, tuple((lexicon or {}).items())))
        for start, end, spoken in parts:
            words = spoken.split()
            shown = [index for index, (begin, _) in enumerate(self._shown) if start <= begin < end]
            for place, _ in enumerate(shown):
                self._first.append(len(said) + place * len(words) // len(shown))
            said += words
        self.spoken = " ".join(said)

    def shown(self, word: int) -> list[int]:
        """The numbers of the written words that begin to be said with the spoken word of that number."""
        return [index for index, first in enumerate(self._first) if first == word]


def _parts(
    text: str, language: str, locale: str, lexicon: tuple[tuple[str, str], ...]
) -> Iterator[tuple[int, int, str]]:
    """(start, end, as it is said) of stretches of whole words that together are the text."""
    edits = list(_edits(text, language, locale, lexicon))
    at = 0
    for match in re.finditer(r"\S+", text):
        if match.start() < at:
            continue
        start, end = match.span()
        inside = [edit for edit in edits if edit[0] < end and edit[1] > start]
        while inside and inside[-1][1] > end:  # it goes on in the next written word
            end = next(word.end() for word in re.finditer(r"\S+", text) if word.end() >= inside[-1][1])
            inside = [edit for edit in edits if edit[0] < end and edit[1] > start]
        spoken, done = "", start
        for edit_start, edit_end, said in inside:
            spoken += text[done:edit_start] + said
            done = edit_end
        yield start, end, spoken + text[done:end]
        at = end


def _edits(
    text: str, language: str, locale: str, lexicon: tuple[tuple[str, str], ...]
) -> Iterator[tuple[int, int, str]]:
    own = [
        (*match.span(), lexicon[match.lastindex - 1][1]) for match in _own(lexicon).finditer(text) if match.lastindex
    ]
    found = list(own)
    for match in _RULES.finditer(text):
        kind = match.lastgroup or ""
        if kind in _ENGLISH_ONLY and language != "en":
            continue
        if any(start < match.end() and end > match.start() for start, end, _ in own):
            continue
        said = _SAY[kind](match.group(), language, locale)
        if said is not None:
            found.append((*match.span(), said))
    yield from sorted(found)


@lru_cache(maxsize=64)
def _own(lexicon: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    """One group for each entry, whole words, whatever the case."""
    entries = "|".join(rf"(?<!\w)({re.escape(written)})(?!\w)" for written, _ in lexicon)
    return re.compile(entries or r"(?!)", re.IGNORECASE)


def _number(text: str, language: str, _: str) -> str | None:
    plain = text.replace(",", "")
    if len(plain.lstrip("-").partition(".")[0]) > 15:
        return None
    value = float(plain) if "." in plain else int(plain)
    try:
        return str(num2words(value, lang=language))
    except NotImplementedError:
        return None


def _money(text: str, language: str, locale: str) -> str | None:
    currency = next(code for sign, code in _CURRENCIES.items() if sign in text)
    amount = float(re.sub(r"[^\d.]", "", text))
    try:
        said = str(num2words(amount, lang=language, to="currency", currency=currency))
    except NotImplementedError:
        return None
    if language == "en":
        said = re.sub(r", zero (cents|pence)$", "", said.replace(" sterling", "").replace(" euro", " euros"))
        said = re.sub(r"^one (dollar|euro|pound)s\b", r"one \1", said)
    return said


def _time(text: str, language: str, locale: str) -> str:
    half = re.search(r"([ap])\.?m", text, re.IGNORECASE)
    hour, _, minute = re.sub(r"[^\d:]", "", text).partition(":")
    said = str(num2words(int(hour)))
    if int(minute or 0):
        said += f" {'oh ' if int(minute) < 10 else ''}{num2words(int(minute))}".replace("-", " ")
    elif not half:
        said += " o'clock" if 0 < int(hour) <= 12 else " hundred"
    return f"{said} {half[1].lower()} m" if half else said


def _iso_date(text: str, language: str, locale: str) -> str | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    ordinal = str(num2words(day.day, to="ordinal")).replace("-", " ")
    year = _year(str(day.year), language, locale)
    if locale.endswith("-GB"):
        return f"the {ordinal} of {_MONTHS[day.month - 1]} {year}"
    return f"{_MONTHS[day.month - 1]} {ordinal}, {year}"


def _year(text: str, language: str, locale: str) -> str:
    return str(num2words(int(text), to="year")).replace("-", " ")


def _percent(text: str, language: str, locale: str) -> str | None:
    number = _number(text.rstrip("% "), language, locale)
    return f"{number} {_signs(language)['%']}" if number else None


def _unit(text: str, language: str, locale: str) -> str | None:
    number, unit = re.findall(r"[\d.]+|[a-z]+", text, re.IGNORECASE)
    name = _UNITS[unit.lower()]
    return f"{_number(number, language, locale)} {name[:-1] if number == '1' and name.endswith('s') else name}"


def _ordinal(text: str, language: str, locale: str) -> str:
    return str(num2words(int(text[:-2]), to="ordinal")).replace("-", " ")


def _phone(text: str, language: str, locale: str) -> str:
    groups = re.findall(r"\d+", text)
    said = ", ".join(" ".join(_DIGITS[int(digit)] for digit in group) for group in groups)
    return f"plus {said}" if text.startswith("+") else said


def _code(text: str, language: str, locale: str) -> str | None:
    if text != text.upper():
        return None  # the rules ignore case, and an ordinary word may stand before a number
    said = (_DIGITS[int(letter)] if letter.isdigit() else "dash" if letter == "-" else letter for letter in text)
    return " ".join(said)


def _address(text: str, language: str, locale: str) -> str:
    signs = _signs(language)
    plain = re.sub(r"^https?://", "", text)
    pieces = re.findall(r"[^\W\d_]+|\d|[^\w\s]|_", plain)
    digits = dict(zip("0123456789", _DIGITS, strict=True)) if language == "en" else {}
    return " ".join(signs.get(piece) or digits.get(piece, piece) for piece in pieces)


def _signs(language: str) -> dict[str, str]:
    return _SPOKEN_SIGNS.get(language, _SPOKEN_SIGNS["en"])


_SAY: dict[str, Callable[[str, str, str], str | None]] = {
    "email": _address,
    "web": _address,
    "money": _money,
    "isodate": _iso_date,
    "time": _time,
    "percent": _percent,
    "phone": _phone,
    "unit": _unit,
    "ordinal": _ordinal,
    "code": _code,
    "year": _year,
    "number": _number,
    "abbreviation": lambda text, language, locale: _ABBREVIATIONS[text.lower()],
    "number_sign": lambda text, language, locale: "number ",
    "ampersand": lambda text, language, locale: _signs(language)["&"],
}
