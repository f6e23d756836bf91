"""What is typed into the field above the list: words to be found, and `key:value` that a call must be.

tuesday morning agent:ava end:failed on:2026-11 slower:900
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicebot.errors import BadInput, did_you_mean

if TYPE_CHECKING:
    from .shelf import Card

KEYS = {
    "agent": "who was called, or part of it",
    "caller": "who called, or part of it",
    "end": "how it ended: failed, transferred, contained, lost ...",
    "via": "over what: twilio, websocket, mic, link ...",
    "on": "the day, or the beginning of it: 2026-11",
    "slower": "answered more slowly than this, in ms (median of the call)",
}


@dataclass(frozen=True)
class Query:
    words: tuple[str, ...] = ()
    """All of them have to be said, in any order, as parts of words or not."""
    keys: dict[str, str] = field(default_factory=dict)

    def fits(self, card: Card) -> bool:
        """Whether the keys fit; words are the store's to find."""
        return all(_fits(card, key, value) for key, value in self.keys.items())


def parse(text: str) -> Query:
    """Raises BadInput for a key that there is not."""
    words, keys = [], {}
    for piece in text.split():
        key, colon, value = piece.partition(":")
        if not colon or not key.isalpha():
            words.append(piece)
            continue
        if key not in KEYS:
            raise BadInput(f"calls have no '{key}:'.{did_you_mean(key, KEYS)}")
        if key == "slower" and value and not value.isdecimal():
            raise BadInput("slower: takes milliseconds, as in slower:900.")
        if value:  # while it is being typed, it says nothing yet
            keys[key] = value.casefold()
    return Query(tuple(words), keys)


def _fits(card: Card, key: str, value: str) -> bool:
    if key == "slower":
        return card.p50_ms is not None and card.p50_ms > int(value)
    if key == "on":
        return (card.started_at or card.call).startswith(value)
    if key == "end":
        return any(value in (each or "").replace("_", " ") or value == each for each in (card.outcome, card.ended))
    return value in {"agent": card.agent, "caller": card.caller, "via": card.transport}[key].casefold()
