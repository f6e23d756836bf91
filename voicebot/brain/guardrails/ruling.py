"""What the rules found in a text, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicebot.agent.guardrails import Rail

Act = Literal["pass", "flag", "redact", "hand_over", "block"]
"""What is done about a text, from nothing to the most: of several rails the strongest act counts."""
STRENGTH: dict[str, int] = {"pass": 0, "flag": 1, "redact": 2, "block": 3, "hand_over": 4}
"""A person who may come to harm is handed over even when they swear at the agent."""


@dataclass(frozen=True)
class Hit:
    """Something that a rail is about, at `start` to `end` (characters) of the text as it came in."""

    rail: Rail
    kind: str
    """'card', 'threat', 'override', the name of a topic ..."""
    start: int
    end: int
    score: float
    """How sure the rules are, from 0 to 1."""


@dataclass(frozen=True)
class Ruling:
    """A text after the guard has looked at it."""

    text: str
    """What goes on instead of the text; nothing when it is blocked or the caller is handed over."""
    hits: tuple[Hit, ...] = ()
    action: Act = "pass"
    say: str = ""
    """What the caller hears instead, when it is blocked or the caller is handed over."""
