"""Phone numbers, said digit by digit, in groups, or with "double" and "oh"."""

from __future__ import annotations

import phonenumbers

from .amounts import digit_runs
from .text import Mention, Utterance

LEAST_DIGITS = 7
"""A shorter run of digits is no number by itself; it may be the beginning of one."""


def find_phones(utterance: Utterance, region: str) -> list[Mention]:
    """Numbers as E.164 ("+12125550123"), or national digits where the area code was left out; unsure: not complete."""
    found = []
    for start, end, digits in digit_runs(utterance):
        international = utterance.tokens[start].startswith("+")
        if not international and start and utterance.tokens[start - 1] == "plus":
            international, start = True, start - 1
        value = complete(digits, region, international=international)
        found.append(Mention("phone", value or digits, start, end, sure=value is not None))
    return found


def complete(digits: str, region: str, *, international: bool = False) -> str | None:
    """The number that these digits are in a region, or None when they have the wrong length."""
    try:
        number = phonenumbers.parse(f"+{digits}" if international else digits, region)
    except phonenumbers.NumberParseException:
        return None
    fit = phonenumbers.is_possible_number_with_reason(number)
    if fit == phonenumbers.ValidationResult.IS_POSSIBLE:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if fit == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY and len(digits) >= LEAST_DIGITS:
        return digits
    return None


def national(number: str, region: str) -> str:
    """The digits as they are dialled at home, in groups: "212 555 0123"."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return number
    if len(str(parsed.national_number)) < 10 and not number.startswith("+"):
        return f"{number[:3]} {number[3:]}"
    home = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return " ".join("".join(each if each.isdigit() else " " for each in home).split())
