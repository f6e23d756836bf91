"""International bank account numbers, written in groups or spelled out."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.brain.guardrails.checksums import SHORTEST_IBAN, iban, iban_length
from voicebot.brain.guardrails.pii.letters import letter
from voicebot.brain.guardrails.pii.numbers import Piece
from voicebot.brain.guardrails.pii.scene import Private, Scene

LONGEST_WORD = 4
"""Letters of a bank code in the middle that are written as one word ("NWBK")."""


def find(scene: Scene) -> Iterator[Private]:
    place, last = 0, len(scene.reading)
    while place < last:
        found = _from(scene, place)
        if found:
            yield found[0]
        place = found[1] if found else place + 1


def _from(scene: Scene, place: int) -> tuple[Private, int] | None:
    country, end = _country(scene, place)
    if not country:
        return None
    text, last = country, end
    wanted = iban_length(country)
    while len(text) < wanted:
        piece = _next(scene, last, len(text))
        if piece is None or len(text + piece.digits) > wanted:
            break
        if len(text) == 2 and not piece.digits[0].isdigit():
            return None
        text, last = text + piece.digits, piece.end
    sure = iban(text)
    begun = scene.cues.any("iban") or "iban" in scene.asked
    if not sure and not (begun and len(text) >= min(SHORTEST_IBAN, wanted)):
        return None
    return scene.private("iban", text.upper(), place, last, 1.0 if sure else 0.7), last


def _country(scene: Scene, place: int) -> tuple[str, int]:
    """The two letters in front, said or written, when a country has them."""
    reading = scene.reading
    word = reading.token(place)
    if len(word) == 2 and iban_length(word) and scene.dictation.piece_in_code(place + 1):
        return word, place + 1
    first = letter(scene.dictation, place)
    second = letter(scene.dictation, first.end) if first and len(first.text) == 1 else None
    if first and second and len(second.text) == 1 and iban_length(first.text + second.text):
        return first.text + second.text, second.end
    return "", place


def _next(scene: Scene, place: int, so_far: int) -> Piece | None:
    for at in scene.dictation.pauses(place):
        if piece := scene.dictation.piece_in_code(at):
            return piece
        if found := letter(scene.dictation, at):
            return Piece(found.text, at, found.end)
        word = scene.reading.token(at)
        start, end = scene.reading.starts[at], scene.reading.ends[at]
        if so_far >= 4 and word.isalpha() and len(word) <= LONGEST_WORD and scene.reading.raw[start:end].isupper():
            return Piece(word, at, at + 1)
    return None
