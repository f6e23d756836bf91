"""The brain: what the agent says and does. What the engine expects of one, whatever is inside.

A `Brain` belongs to one call. `reply` streams what it wants to say and do; `heard` then tells it what the caller
really heard of that, so that its memory holds nothing the caller never got.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Say:
    """Words to speak, as they come: a token, a clause or a whole reply. Concatenated they are the reply."""

    text: str


@dataclass(frozen=True)
class CallTool:
    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class ToolResult:
    id: str
    name: str
    ok: bool
    result: Any
    duration_ms: float


@dataclass(frozen=True)
class Moved:
    """The brain is at this graph node or flow step now."""

    node: str
    slots: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HandOver:
    """Pass the caller on once the reply has been spoken."""

    to: str
    reason: str


@dataclass(frozen=True)
class HangUp:
    """End the call once the reply has been spoken."""

    reason: str = ""


@dataclass(frozen=True)
class Failed:
    """A provider of the brain failed; the brain goes on with `remedy`."""

    provider: str
    error: str
    remedy: str


Output = Say | CallTool | ToolResult | Moved | HandOver | HangUp | Failed


class Brain(Protocol):
    name: str

    def greet(self) -> AsyncGenerator[Output, None]:
        """The first words of the call; nothing when the agent waits for the caller."""

    def reply(self, text: str) -> AsyncGenerator[Output, None]:
        """Answer one turn of the caller. Closing the iterator stops the work (a tool already running completes)."""

    async def heard(self, text: str, *, interrupted: bool) -> None:
        """Of the last reply the caller heard `text`; the conversation's memory is cut to that."""

    def settles(self, text: str) -> bool:
        """True when `text` surely answers what was just asked, so the turn can end without asking a model."""

    async def close(self) -> Sequence[Output]:
        """The call is over; free what its memory held. Returns what its tools did after the last reply."""
