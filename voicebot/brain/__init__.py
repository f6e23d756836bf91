"""The brain: what the agent says and does. What the engine expects of one, whatever is inside.

A `Brain` belongs to one call. `reply` streams what it wants to say and do; `heard` then tells it what the caller
really heard of that, so that its memory holds nothing the caller never got.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


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
    attempts: int = 1
    """How often it was tried."""


@dataclass(frozen=True)
class Moved:
    """The brain is at this graph node or flow step now."""

    node: str
    slots: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HandOver:
    """Pass the caller on once the reply has been spoken; or, with `agent`, another agent is on the line from now on."""

    to: str
    reason: str
    agent: str = ""
    """The file of the agent that goes on with this call; '' when the call leaves us."""


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
    kind: Literal["llm", "tool", "store"] = "llm"


@dataclass(frozen=True)
class Used:
    """What one answer of a language model used, as its provider counts it."""

    provider: str
    """'provider/model'."""
    input_tokens: int
    cached_tokens: int
    """Of the input, those that the provider did not have to read again."""
    output_tokens: int
    cost_usd: float | None = None
    """By the dated price table; None where that has no price."""
    estimated: bool = False
    """The provider did not count, or was cut short before it did: estimated from the length of the texts."""


@dataclass(frozen=True)
class Prepared:
    """A step before the answer is done."""

    step: Literal["guard", "retrieve"]
    duration_ms: float


@dataclass(frozen=True)
class Guarded:
    """A guardrail struck."""

    rail: str
    """'pii', 'toxicity', 'injection', 'topic', 'never_say'."""
    kind: str
    """What it saw: 'card', 'threat', ...; never the words themselves."""
    side: Literal["caller", "agent", "tool"]
    action: Literal["flag", "redact", "block", "hand_over"]


@dataclass(frozen=True)
class PressKeys:
    """Send these keys down the line as touch tones: '0'-'9', '*', '#', and 'w' for half a second of pause."""

    keys: str


@dataclass(frozen=True)
class Discreet:
    """From now on nothing the caller says is recorded; or, with `on` false, it is again."""

    on: bool


Output = (
    Say | CallTool | ToolResult | Moved | HandOver | HangUp | Failed | Used | Prepared | Guarded | PressKeys | Discreet
)


class Brain(Protocol):
    @property
    def name(self) -> str:
        """What answers, for the call's record."""

    def greet(self) -> AsyncGenerator[Output, None]:
        """The first words of the call; nothing when the agent waits for the caller."""

    def reply(self, text: str) -> AsyncGenerator[Output, None]:
        """Answer one turn of the caller. Closing the iterator stops the work (a tool already running completes)."""

    def say(self, text: str) -> AsyncGenerator[Output, None]:
        """Say these words of somebody else's, and remember them. What was asked and not answered is asked again."""

    async def heard(self, text: str, *, interrupted: bool) -> None:
        """Of the last reply the caller heard `text`; the conversation's memory is cut to that."""

    async def prepare(self, text: str) -> None:
        """The caller has probably finished, having said `text`: begin what `reply` will need, as far as it can be
        thrown away. '' means that they go on. Returns at once."""

    def settles(self, text: str) -> bool:
        """True when `text` surely answers what was just asked, so the turn can end without asking a model."""

    def on_finish(self, tell: Callable[[ToolResult], None]) -> None:
        """`tell` is called, at once and outside of any reply, with what a tool did that ran in the background."""

    @property
    def has_news(self) -> bool:
        """Whether it would speak up unasked: `reply('')` lets it."""

    async def close(self) -> Sequence[Output]:
        """The call is over; free what its memory held. Returns what its tools did after the last reply."""
