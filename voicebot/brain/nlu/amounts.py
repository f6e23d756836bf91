"""Numbers, money and codes. Spoken numbers are digits already when they come here (see `Utterance`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .text import Mention, Utterance, whole_words, words

_NUMBER = whole_words(r"(?P<number>\d{1,9}(?:\.\d+)?)")
_COUPLE = {"a couple": 2, "a couple of": 2, "a dozen": 12, "half a dozen": 6, "a single": 1}
_CURRENCY = r"(?:dollars?|bucks|euros?|pounds?|francs?|usd|eur|gbp)"
_MONEY = whole_words(
    r"[$€£] (?P<sign>\d+(?:\.\d\d?)?)|"
    rf"(?P<whole>\d+(?:\.\d\d?)?) {_CURRENCY}(?: (?:and )?(?P<cents>\d\d?)(?: cents?)?)?"
)

_REPEATS = {"double": 2, "triple": 3}
_ZERO = words("o oh zero nought null")
HOMOPHONES = {"to": "2", "too": "2", "for": "4", "won": "1", "ate": "8", "tree": "3", "free": "3", "fife": "5",
              "niner": "9", "sicks": "6", "fore": "4"}  # fmt: skip
"""What a recogniser writes for a digit in the middle of digits."""

NATO = words(
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa "
    "quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
)


def find_numbers(utterance: Utterance, units: Sequence[str]) -> list[Mention]:
    """Counts; sure when a word of `units` follows ("two people")."""
    found = []
    for start, end, match in utterance.find(_NUMBER):
        value = float(match["number"])
        after = utterance.tokens[end : end + 1]
        has_unit = bool(after) and after[0] in units
        number = int(value) if value.is_integer() else value
        found.append(Mention("number", number, start, end + has_unit, sure=has_unit))
    for saying, number in _COUPLE.items():
        for start, end, _ in utterance.find(whole_words(saying)):
            has_unit = utterance.tokens[end : end + 1] != () and utterance.tokens[end] in units
            found.append(Mention("number", number, start, end + has_unit, sure=has_unit))
    return found


def find_money(utterance: Utterance) -> list[Mention]:
    """Amounts with a currency word or sign are sure; a bare number is one only when asked for."""
    found = []
    for start, end, match in utterance.find(_MONEY):
        amount = float(match["sign"] or match["whole"]) + float(match["cents"] or 0) / 100
        found.append(Mention("money", amount, start, end))
    for start, end, match in utterance.without(found).find(_NUMBER):
        found.append(Mention("money", float(match["number"]), start, end, sure=False))
    return found


def digit_runs(utterance: Utterance, *, letters: bool = False) -> list[tuple[int, int, str]]:
    """Stretches of characters said one after the other: (first token, one past the last, "5550123").

    "double five", "oh" and what sounds like a digit between digits ("to", "for") count; `letters` adds single letters
    and the NATO alphabet.
    """
    runs: list[tuple[int, int, str]] = []
    place = 0
    while place < len(utterance.tokens):
        end, text = _run(utterance.tokens, place, letters)
        if text:
            runs.append((place, end, text))
        place = max(end, place + 1)
    return runs


def _run(tokens: tuple[str, ...], start: int, letters: bool) -> tuple[int, str]:
    """The characters said from `start` on, and where they end. What only sounds like a digit cannot be the last."""
    place, pieces = start, list[tuple[int, str, bool]]()
    while True:
        taken, characters = _character(tokens, place, letters, inside=bool(pieces))
        if not taken:
            break
        place += taken
        pieces.append((place, characters, tokens[place - 1] in HOMOPHONES))
    while pieces and pieces[-1][2]:
        pieces.pop()
    return (pieces[-1][0] if pieces else start), "".join(characters for _, characters, _ in pieces)


def _character(tokens: tuple[str, ...], place: int, letters: bool, *, inside: bool) -> tuple[int, str]:
    """(how many tokens, the characters they are); (0, "") when it is none."""
    if place >= len(tokens):
        return 0, ""
    word = tokens[place]
    if word in _REPEATS:
        taken, characters = _character(tokens, place + 1, letters, inside=True)
        return (taken + 1, characters * _REPEATS[word]) if len(characters) == 1 else (0, "")
    if re.fullmatch(r"\+?\d+", word):
        return 1, word.lstrip("+")
    if word in _ZERO and (inside or _starts_digits(tokens, place + 1)):
        return 1, "0"
    if inside and word in HOMOPHONES and not letters:
        return 1, HOMOPHONES[word]
    if letters and word in NATO:
        return 1, word[0].upper()
    if letters and len(word) == 1 and word.isalpha():
        return 1, word.upper()
    if letters and re.fullmatch(r"(?=.*\d)[a-z0-9]+", word) and not re.fullmatch(r"\d+(?:st|nd|rd|th)", word):
        return 1, word.upper()
    return 0, ""


def _starts_digits(tokens: tuple[str, ...], place: int) -> bool:
    return place < len(tokens) and re.fullmatch(r"\d+", tokens[place]) is not None


def find_codes(utterance: Utterance, length: int | None, *, letters: bool) -> list[Mention]:
    """Codes such as order numbers; unsure while they are shorter or longer than they should be."""
    found = []
    for start, end, text in digit_runs(utterance, letters=letters):
        if any(each.isdigit() for each in text) or len(text) == length:
            found.append(Mention("code", text, start, end, sure=len(text) == length if length else len(text) > 2))
    return found
