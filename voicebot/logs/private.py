"""Private data in a line of the log, whose words may be anybody's: the finders of the guardrails over all of it."""

from __future__ import annotations

import re
from functools import lru_cache

from voicebot.agent.guardrails import PII_KINDS
from voicebot.brain.guardrails.pii.finding import find
from voicebot.brain.guardrails.pii.numbers import Numerals, numerals
from voicebot.brain.guardrails.pii.scene import REGIONS, Private, Scene, Side
from voicebot.brain.guardrails.reading import Reading

_IDS = re.compile(
    r"""(?x)
    (?<![\w.-])(?:
        \d{8}-\d{6}-[0-9a-f]{6}                                                        # a call
      | \d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?    # a moment
      | \d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})? | (?:localhost|\[::1?\]):\d{1,5}          # an address of a machine
      | [A-Z]{2}[0-9a-f]{32}                                                           # one of Twilio's
      | [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} | 0x[0-9a-f]{4,16}
    )(?![\w-])
    """
)
"""Numbers of our own, which are nobody's secret although some look like telephone numbers."""
_QUOTES = re.compile(r"""(["`]|(?<!\w)'|'(?!\w))""")
"""What is between two of them is somebody's words, and is read once more by itself: a name begins a sentence there."""
_LONGEST_LINE = 2000
"""Characters that are looked at together."""
_SIDES: tuple[Side, ...] = ("caller", "results")
"""What people say, and what programs print."""


def hide(text: str, language: str = "en") -> str:
    """`text` with "[card]", "[name]" ... for what is private in it. `language`: that of the call."""
    return "\n".join(_hide(line, language) for line in text.split("\n"))


def _hide(line: str, language: str) -> str:
    parts: list[str] = []
    place = 0
    for own in _IDS.finditer(line):
        parts += [_plain(line[place : own.start()], language), own[0]]
        place = own.end()
    return "".join([*parts, _plain(line[place:], language)])


@lru_cache(maxsize=512)
def _plain(text: str, language: str) -> str:
    """Of a line without ids. Much comes again and again: lines of tracebacks, what a server says of each call."""
    if len(text) > _LONGEST_LINE:
        half = text.rfind(" ", 0, _LONGEST_LINE) + 1 or _LONGEST_LINE
        return _plain(text[:half], language) + _plain(text[half:], language)
    text = _read(text, language)
    parts = _QUOTES.split(text)
    return "".join(_read(part, language) for part in parts) if len(parts) > 1 else text


def _read(text: str, language: str) -> str:
    if not any(map(str.isalnum, text)):
        return text
    spoken, regions = _spoken(language)
    reading = Reading(text)
    found = [one for side in _SIDES for one in find(Scene(reading, spoken, regions, side), PII_KINDS)]
    return _replaced(text, sorted(found, key=lambda one: (one.start, -one.end)))


def _replaced(text: str, found: list[Private]) -> str:
    parts: list[str] = []
    place = 0
    for one in found:
        if one.end <= place:
            continue
        if one.start >= place:
            parts += [text[place : one.start], f"[{one.kind.replace('_', ' ')}]"]
        place = one.end
    return "".join([*parts, text[place:]])


@lru_cache(maxsize=32)
def _spoken(language: str) -> tuple[Numerals, tuple[str, ...]]:
    base, _, country = language.partition("-")
    regions = REGIONS.get(base, REGIONS["en"])
    first = (country.upper(),) if country else ()
    return numerals(base), (*first, *(region for region in regions if region not in first))
