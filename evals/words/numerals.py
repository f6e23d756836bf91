"""Numbers said in words as digits: 'twenty first' -> '21st', 'one hundred and five' -> '105', 'z k three' -> 'zk3'."""

from __future__ import annotations

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth".split(),
        start=1,
    )
} | {word.replace("y", "ieth"): value for word, value in _TENS.items()}

_PHONE_DIGITS = 7
"""Digit groups side by side with at least so many digits are one number: '555 0142'."""


def numerals(words: list[str]) -> list[str]:
    """`words` with each number in digits; digits said one by one stay apart ('5', '5', '5')."""
    out: list[str] = []
    position = 0
    while position < len(words):
        value, ordinal, used = _number(words[position:])
        out.append(words[position] if not used else f"{value}{_suffix(value)}" if ordinal else str(value))
        position += used or 1
    return out


def _number(words: list[str]) -> tuple[int, bool, int]:
    """The number that `words` begin with -> (value, whether it is an ordinal, words used; 0 when there is none)."""
    total, used = 0, 0
    value, ordinal, length = _below_hundred(words)
    while length:
        used += length
        large = words[used] if used < len(words) and not ordinal else ""
        if large not in _LARGE:
            return total + value, ordinal, used
        total += value * _LARGE[large]
        used += 1
        gap = 1 if words[used : used + 1] == ["and"] and _below_hundred(words[used + 1 :])[2] else 0
        value, ordinal, length = _below_hundred(words[used + gap :])
        used += gap if length else 0
    return total, ordinal, used


def _below_hundred(words: list[str]) -> tuple[int, bool, int]:
    first = words[0] if words else ""
    second = words[1] if len(words) > 1 else ""
    if first in _TENS:
        if 0 < _SMALL.get(second, 0) < 10:
            return _TENS[first] + _SMALL[second], False, 2
        if _ORDINALS.get(second, 10) < 10:
            return _TENS[first] + _ORDINALS[second], True, 2
        return _TENS[first], False, 1
    if first in _SMALL:
        return _SMALL[first], False, 1
    return (_ORDINALS[first], True, 1) if first in _ORDINALS else (0, False, 0)


def _suffix(value: int) -> str:
    if value % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


def joined(words: list[str]) -> list[str]:
    """`words` with letters and digits said one by one joined, and the groups of a telephone number too."""
    out: list[str] = []
    run: list[str] = []
    for word in [*_undoubled(words), ""]:
        if len(word) == 1 or word.isdigit() or (word == "oh" and run):
            run.append("0" if word == "oh" else word)
        else:
            out += [*_join(run), word]
            run = []
    return out[:-1]


def _undoubled(words: list[str]) -> list[str]:
    """'double 5' -> '5', '5'."""
    out: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if before in ("double", "triple") and len(word) == 1:
            out[-1:] = [word] * (2 if before == "double" else 3)
        else:
            out.append(word)
    return out


def _join(run: list[str]) -> list[str]:
    """One word for a code. 'a' and 'i' at its ends are words of their own: 'a 2', 'i want'."""
    if run and run[0] in ("a", "i"):
        return [run[0], *_join(run[1:])]
    if run and run[-1] in ("a", "i"):
        return [*_join(run[:-1]), run[-1]]
    single = all(len(part) == 1 for part in run)
    digits = sum(len(part) for part in run if part.isdigit())
    return ["".join(run)] if run and (single or digits >= _PHONE_DIGITS) else run
