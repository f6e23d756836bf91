"""Payment cards: 13 to 19 digits with a Luhn check digit, dictated in any grouping; and their security codes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from voicebot.brain.guardrails.checksums import luhn
from voicebot.brain.guardrails.pii.numbers import Piece, Run
from voicebot.brain.guardrails.pii.scene import Private, Scene

_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|"
    r"3(?:0[0-5]|[689]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|(?:50|5[6-9]|6\d)\d{14}"
)
"""The lengths and first digits of the large issuers."""
_LENGTHS = (16, 15, 14, 19, 18, 17, 13)
"""The usual one first: a card of 16 digits may begin with 13 that pass as well."""
LONGEST_REST = 8
"""Digits behind a card in the same breath that are its expiry date and security code."""
LEAST_BEGUN = 8
"""Digits from which a number that was said to be a card is taken for the beginning of one."""
_CODES = frozenset("cvv cvc cvv2 cvc2 cid csc".split())


def find(scene: Scene) -> Iterator[Private]:
    """Cards, one for each that is dictated here or ends here; with "card" beside it also one that was misheard."""
    found = False
    for run in scene.runs:
        cue = scene.cue(run)
        pieces = _Joined(scene, run).card(cue)
        if pieces:
            digits, first, end = pieces
            found = True
            yield scene.private("card", digits, first, end, 1.0)
        elif cue == "card" and len(begun := scene.begun(run) + run.digits) >= LEAST_BEGUN:
            yield scene.private("card", begun, run.first, run.end, 0.8)
        elif not cue and len(run.digits) == 16 and _ISSUED.fullmatch(run.digits) and scene.is_bare(run.first, run.end):
            yield scene.private("card", run.digits, run.first, run.end, 0.6)  # misheard, but nothing else looks like it
    yield from _security_codes(scene, beside_card=found or scene.cues.any("card"))


class _Joined:
    """A run together with what was begun before it."""

    def __init__(self, scene: Scene, run: Run) -> None:
        tail = scene.tail.pieces if scene.continues(run) else ()
        self._before = len(tail)
        self._pieces = (*(Piece(digits, -1, -1) for digits in tail), *run.pieces)

    def card(self, cue: str) -> tuple[str, int, int] | None:
        """(digits, first token, one past the last) of the part that is a card and is not over before this run."""
        starts = range(len(self._pieces)) if cue == "card" else sorted({0, self._before})
        fitting = {len(digits): (digits, start, end) for digits, start, end in self._parts(starts, cue)}
        best = next((fitting[length] for length in _LENGTHS if length in fitting), None)
        if best and _ISSUED.fullmatch(best[0]):
            return self._placed(*best)
        other = next((digits for digits in self._read_otherwise() if _ISSUED.fullmatch(digits) and luhn(digits)), None)
        if other:
            return other, self._pieces[self._before].first, self._pieces[-1].end
        return self._placed(*best) if best else None

    def _parts(self, starts: Sequence[int], cue: str) -> Iterator[tuple[str, int, int]]:
        """(digits, first piece, last piece) of all parts that are cards by themselves, from the last start on."""
        for start in reversed(starts):
            digits = ""
            for end in range(start, len(self._pieces)):
                digits += self._pieces[end].digits
                if len(digits) > max(_LENGTHS):
                    break
                whole = start in (0, self._before) and end == len(self._pieces) - 1
                if end >= self._before and _is_card(digits, whole, cue):
                    yield digits, start, end

    def _read_otherwise(self) -> Iterator[str]:
        """All digits with one "twenty seven" as 20 7 and not as 27: which it is cannot be heard."""
        if sum(len(piece.digits) for piece in self._pieces) > max(_LENGTHS):
            return
        for place, piece in enumerate(self._pieces):
            if len(piece.digits) == 2 and piece.digits[1] != "0" and piece.end - piece.first > 1:
                readings = (f"{each.digits[0]}0{each.digits[1]}" if at == place else each.digits
                            for at, each in enumerate(self._pieces))  # fmt: skip
                yield "".join(readings)

    def _placed(self, digits: str, start: int, end: int) -> tuple[str, int, int]:
        rest = "".join(piece.digits for piece in self._pieces[end + 1 :])
        last = self._pieces[-1] if len(rest) <= LONGEST_REST else self._pieces[end]
        return digits, self._pieces[max(start, self._before)].first, last.end


def _is_card(digits: str, whole: bool, cue: str) -> bool:
    """A whole number with the right check digit; a part of a longer one must be of a known issuer, too."""
    if len(digits) < 13 or not luhn(digits) or len(set(digits)) == 1:
        return False
    if _ISSUED.fullmatch(digits):
        return whole or cue != "other"
    return whole and (len(digits) == 16 or cue != "other")


def _security_codes(scene: Scene, *, beside_card: bool) -> Iterator[Private]:
    """ "the cvv is one two three", "the three digits on the back are ..."."""
    reading = scene.reading
    for run in scene.runs:
        if len(run.digits) not in (3, 4):
            continue
        before = reading.tokens[max(0, run.first - 8) : run.first]
        on_the_back = "back" in before and beside_card and "digits" in before
        called = ("security" in before and "code" in before) or ("verification" in before and "card" in before)
        named = _CODES.intersection(before) or (called and beside_card)
        if named or on_the_back:
            yield scene.private("card", run.digits, run.first, run.end, 0.8)
