"""All private data in a text: the finders in turn, and which of two that overlap is right."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from voicebot.brain.guardrails.pii import (
    addresses,
    births,
    cards,
    emails,
    fields,
    ibans,
    names,
    social_security,
    telephones,
)
from voicebot.brain.guardrails.pii.scene import Private, Scene

FINDERS: tuple[Callable[[Scene], Iterator[Private]], ...] = (
    ibans.find, cards.find, emails.find, social_security.find, fields.find, births.find, addresses.find,
    telephones.find, names.find,
)  # fmt: skip
"""In the order in which they are believed: what one has found, a later one does not find again."""


def find(scene: Scene, kinds: Collection[str]) -> list[Private]:
    """The private data of these kinds, from left to right, none overlapping another."""
    taken = bytearray(len(scene.reading.raw))
    right: list[Private] = []
    for finder in FINDERS:
        for found in finder(scene):
            if not any(taken[found.start : found.end]):
                taken[found.start : found.end] = b"\1" * (found.end - found.start)
                right.append(found)
    return sorted((each for each in right if each.kind in kinds), key=lambda each: each.start)
