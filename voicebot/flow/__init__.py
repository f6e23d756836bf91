"""The `flow:` section of an agent file: what it may hold (schema.py) and what callers may say to it (utterances.py).

The dialogue that follows it is `voicebot.brain.flow`.
"""

from __future__ import annotations

from .schema import (
    Flow,
    Goal,
    Hours,
    Names,
    Outcome,
    Phrases,
    Slot,
    SlotType,
    SmallTalk,
    Step,
    placeholders,
)

__all__ = [
    "Flow",
    "Goal",
    "Hours",
    "Names",
    "Outcome",
    "Phrases",
    "Slot",
    "SlotType",
    "SmallTalk",
    "Step",
    "placeholders",
]
