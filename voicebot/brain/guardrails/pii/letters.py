"""Single characters as they are spelled out: "j a n e", "j as in john", "juliett", "double u", digits in between."""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.brain.guardrails.pii.numbers import Dictation
from voicebot.brain.nlu.amounts import NATO

_AS_IN = (("as", "in"), ("like", "in"), ("for",), ("like",), ("wie",), ("de",), ("comme",), ("come",), ("van",))
LONGEST_WORD = 40
"""Letters that are read as one word, at most."""
_TWICE = {"double": 2, "triple": 3, "doppel": 2, "doble": 2}


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, or two and three of a kind; `end` is one past its last token."""

    text: str
    first: int
    end: int


def letter(dictation: Dictation, place: int) -> Letter | None:
    """The letter that is spelled at a place, with the example that explains it."""
    reading = dictation.reading
    word = reading.token(place)
    times = _TWICE.get(word, 1)
    if times > 1:
        if reading.token(place + 1) == "u" and times == 2:
            return Letter("w", place, place + 2)
        again = letter(dictation, place + 1) if reading.token(place + 1) not in _TWICE else None
        return Letter(again.text * times, place, again.end) if again and len(again.text) == 1 else None
    if word in NATO and word != "hotel":
        return Letter(word[0], place, place + 1)
    if len(word) != 1 or not ("a" <= word <= "z"):
        return None
    return Letter(word, place, _past_example(dictation, place, word))


def _past_example(dictation: Dictation, place: int, said: str) -> int:
    reading = dictation.reading
    for saying in _AS_IN:
        example = place + 1 + len(saying)
        word = reading.token(example)
        if tuple(reading.tokens[place + 1 : example]) == saying and len(word) > 1 and word[0] == said:
            return example + 1
    return place + 1


def spelled(dictation: Dictation, place: int, least: int = 3) -> Letter | None:
    """A word spelled letter by letter from here on, of at least so many letters."""
    found, text, end = letter(dictation, place), "", place
    while found and len(text) < LONGEST_WORD:
        text, end = text + found.text, found.end
        found = _following(dictation, end)
    return Letter(text, place, end) if len(text) >= least else None


def _following(dictation: Dictation, place: int) -> Letter | None:
    """The next letter of the same word: found once, since a text of nothing but letters asks for each many times."""
    known: dict[int, Letter | None] = dictation.letters
    if place not in known:
        known[place] = next((each for at in dictation.pauses(place) if (each := letter(dictation, at))), None)
    return known[place]
