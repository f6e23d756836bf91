"""Text as a voice can take it: without what nobody can say, and no more of it at a time than makes a breath."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECE = re.compile(r".{1,280}\Z|.{1,280}[.!?](?=\s|$)|.{1,280}(?=\s|$)|.{1,280}", re.DOTALL)
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def speakable(text: str) -> str:
    """`text` with a blank for each control character."""
    return _UNSPEAKABLE.sub(" ", text)


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where pieces of at most 281 characters begin and end, at the end of a sentence if there is one; those without a
    letter or digit are left out."""
    for match in _PIECE.finditer(text):
        if any(character.isalnum() for character in match.group()):
            yield match.span()
