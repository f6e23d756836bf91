"""Street addresses of persons: house number and street after "I live at", "ship it to" and the like, or said alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

import yaml

from voicebot.brain.guardrails.pii.scene import Private, Scene
from voicebot.brain.guardrails.reading import fold

LONGEST_STREET = 5
"""Words between the house number and "street"."""
BEFORE = 12
_COMPOUND = ("strasse", "str", "straat", "weg", "gasse", "platz", "allee", "laan", "plein")


@lru_cache(maxsize=1)
def _words() -> tuple[frozenset[str], frozenset[str], tuple[tuple[str, ...], ...], frozenset[str]]:
    data = yaml.load((resources.files(__package__) / "addresses.yaml").read_bytes(), yaml.CSafeLoader)
    return (
        frozenset(data["streets"].split()),
        frozenset(data["street_first"].split()),
        tuple(tuple(fold(saying).split()) for saying in data["cues"]),
        frozenset(data["goes_on"].split()),
    )


def find(scene: Scene) -> Iterator[Private]:
    if scene.side == "agent":
        return  # where the firm is, it may say
    place = 0
    while place < len(scene.reading):
        end = _street(scene, place)
        if end and (_is_cued(scene, place) or scene.is_bare(place, end)):
            end = _more(scene, end)
            yield scene.private(
                "address", scene.reading.raw[scene.reading.starts[place] : scene.reading.ends[end - 1]], place, end, 0.8
            )
        place = end or place + 1


def _street(scene: Scene, place: int) -> int:
    """One past an address that begins here, as number and street or as street and number; 0 when none does."""
    streets, first_words, _, _ = _words()
    reading = scene.reading
    number = _number(scene, place)
    if number and not (place and _number(scene, place - 1)):
        for end in range(number, min(number + LONGEST_STREET + 1, len(reading))):
            word = reading.tokens[end]
            if word in streets and end > number:
                return end + 1
            if word in ("and", "or", "is", "people", ",", ".") or word in scene.numerals.units:
                return 0
    word = reading.token(place)
    if word.endswith(_COMPOUND) and len(word) > 5:
        return _number(scene, place + 1)
    if word in first_words:
        for end in range(place + 2, min(place + LONGEST_STREET + 2, len(reading))):
            if after := _number(scene, end):
                return after
    return 0


def _number(scene: Scene, place: int) -> int:
    """One past a house number of up to five digits ("twelve oh four", "221 b")."""
    piece = scene.dictation.piece_in_code(place)
    if piece is None:
        return 0
    digits = piece.digits
    while (more := scene.dictation.piece(piece.end, piece)) and len(digits + more.digits) <= 5:
        piece, digits = more, digits + more.digits
    if len(digits) > 5:
        return 0
    return piece.end + (scene.reading.token(piece.end) in ("a", "b", "c") and scene.reading.glued(piece.end))


def _is_cued(scene: Scene, place: int) -> bool:
    tokens = scene.reading.tokens
    for saying in _words()[2]:
        for at in range(max(0, place - BEFORE), place - len(saying) + 1):
            if tuple(tokens[at : at + len(saying)]) == saying:
                return True
    return "address" in scene.asked


def _more(scene: Scene, end: int) -> int:
    """Past the apartment, and a postal code that follows."""
    reading, goes_on = scene.reading, _words()[3]
    at = end
    while at < len(reading) and reading.token(at) in (",", "."):
        at += 1
    if reading.token(at) not in goes_on:
        return end
    piece = scene.dictation.piece(at + 1 + (reading.token(at + 1) in ("number", "#")), None)
    if piece:
        return piece.end
    return at + 2 if len(reading.token(at + 1)) == 1 else end
