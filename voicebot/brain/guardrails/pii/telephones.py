"""Telephone numbers. A long number may be anything, so it needs a sign: a cue, a plus, or the shape of a real one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from voicebot.brain.guardrails.pii.numbers import Run
from voicebot.brain.guardrails.pii.scene import Private, Scene
from voicebot.brain.nlu.phones import complete

LEAST_DIGITS, MOST_DIGITS = 7, 15
_NANP = re.compile(r"1?[2-9]\d{2}[2-9]\d{6}")
"""Made-up numbers (555 01xx) have this shape, too; the tables of real ones would leave them out."""
_TRUNK = re.compile(r"0[1-9]\d{8,10}")
"""As numbers begin at home in most of Europe."""
_TOLL_FREE = re.compile(r"1?8(?:00|33|44|55|66|77|88)\d{7}")
_FIRMS = frozenset("our us we office clinic store shop front desk support company branch hotline headquarters".split())
_PERSONS = frozenset("her him his their your them customer patient client caller he she".split())
_MINE = frozenset("my me mine i'm i home his her husband's wife's mi mio mon meine mijn minha meu".split())


@lru_cache(maxsize=16)
def load(regions: tuple[str, ...]) -> None:
    """Read the tables of these regions, which takes tens of milliseconds, ahead of the first call."""
    for region in regions:
        complete("2125550123", region, international=False)


def find(scene: Scene) -> Iterator[Private]:
    for run in scene.runs:
        begun = scene.begun(run) if scene.tail.cue == "phone" else ""
        if len(begun + run.digits) >= LEAST_DIGITS and len(run.digits) <= MOST_DIGITS + 1:
            yield from _in(scene, run, begun)


def _in(scene: Scene, run: Run, begun: str) -> Iterator[Private]:
    first = run.first
    international = scene.reading.token(first - 1) in ("+", "plus") or (
        run.digits.startswith("00") and run.digits[2] != "0"
    )
    if scene.reading.token(first - 1) in ("+", "plus", "("):
        first -= 1
    if international and scene.reading.token(first - 1) == "(":
        first -= 1
    score = _score(scene, run, international)
    if score and not _is_the_firms(scene, run):
        yield scene.private("phone", _value(scene, begun + run.digits, international), first, run.end, score)


def _score(scene: Scene, run: Run, international: bool) -> float:
    cue, digits = scene.cue(run), run.digits
    if international:
        return 1.0 if _value(scene, run.digits, True).startswith("+") or cue == "phone" else 0.0
    if cue == "phone":
        return 0.9
    if cue in ("other", "card", "ssn", "iban") and not _is_formatted(scene, run):
        return 0.0
    if cue == "other":
        return 0.0
    solid = len(run.pieces) == 1
    if solid and not (scene.side != "results" and scene.is_bare(run.first, run.end)):
        return 0.0
    if _is_formatted(scene, run) or _is_national(digits, scene.regions):
        return 0.8
    return 0.6 if digits.startswith("555") and len(digits) == 7 and scene.is_bare(run.first, run.end) else 0.0


def _is_formatted(scene: Scene, run: Run) -> bool:
    """(212) 555-0123, 555-0123: groups of figures as numbers are written in North America."""
    groups = [len(piece.digits) for piece in run.pieces]
    text = scene.reading.clean_between(run.first, run.end)
    return groups[-2:] == [3, 4] and bool(re.search(r"\d{3}[-.) ]{1,2}\d{3}[-.]\d{4}$|^\d{3}-\d{4}$", text))


def _is_national(digits: str, regions: tuple[str, ...]) -> bool:
    for region in regions:
        if region == "US":
            if _NANP.fullmatch(digits):
                return True
        elif _TRUNK.fullmatch(digits):
            return True
        elif len(digits) >= 9 and region in ("ES", "MX", "PT", "BR", "IT"):
            try:
                number = phonenumbers.parse(digits, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                return True
    return False


def _value(scene: Scene, said: str, international: bool) -> str:
    digits = said.removeprefix("00") if international else said
    for region in scene.regions:
        if value := complete(digits, region, international=international):
            return value
    return said


def _is_the_firms(scene: Scene, run: Run) -> bool:
    """The number of a firm, not of a person: toll-free, or the agent's own "our number is ..."."""
    before = scene.reading.tokens[max(0, run.first - 12) : run.first]
    whose = next((word for word in reversed(before) if word in _FIRMS or word in _PERSONS), "")
    if scene.side == "agent" and whose in _FIRMS:
        return True
    return bool(_TOLL_FREE.fullmatch(run.digits)) and not _MINE.intersection(before) and "phone" not in scene.asked
