"""Where a dialogue is, as plain JSON: it travels in the graph's state and in its checkpoints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["goal", "slot", "confirm", "change", "pick", "person", "more"]


@dataclass
class Asking:
    """The open question."""

    kind: Kind = "goal"
    """goal: what the caller wants. slot: a value. confirm: the last yes before `do`. change: what is wrong with it.
    pick: one of `options` for `slot` (or, without a slot, one of several goals). person: whether to pass the caller on.
    more: anything else."""
    slot: str | None = None
    options: list[Any] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)
    """confirm: exactly what a yes agrees to."""
    must_hear: str = ""
    """confirm: what the caller must have heard for a yes to count, all values included."""
    heard: bool = False
    """confirm: the caller has heard that."""
    doubted: Any = None
    """slot: a value that was refused and heard again; a yes takes it after all."""


@dataclass
class Running:
    """A tool that has been called and not yet answered."""

    kind: Literal["check", "do"]
    name: str
    """The check's name, or the goal's."""
    tool: str
    arguments: dict[str, Any]


@dataclass
class State:
    step: str = "start"
    """For display: "book.day", "book.confirm", "anything_else" ..."""
    goal: str | None = None
    slots: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    """What tools have told."""
    checked: dict[str, dict[str, Any]] = field(default_factory=dict)
    """check -> the arguments it had nothing against."""
    asking: Asking = field(default_factory=Asking)
    question: str = ""
    """The open question's words, to come back to after a digression."""
    said: str = ""
    """All that was said last."""
    running: Running | None = None
    waiting: Asking | None = None
    """What was open before a person was offered."""
    misses: int = 0
    """Answers in a row that were not understood."""
    silences: int = 0
    refused: list[str] = field(default_factory=list)
    """Slots the caller would rather not give."""
    rejected: dict[str, list[Any]] = field(default_factory=dict)
    """Slots that were put right in this goal, each with the values that it cannot be."""
    doubted: list[str] = field(default_factory=list)
    """Slots that have been asked another way because a refused value was heard again."""
    refusals: int = 0
    """Confirmations in a row that were refused without progress."""
    deeds: list[dict[str, Any]] = field(default_factory=list)
    """What has been done in this call: {"goal", "arguments"}. The same is not done twice."""
    news: str = ""
    """What was done, in words that the caller has not heard yet."""
    partial: str = ""
    """Digits of a number that goes on in the next turn."""
    message: str = ""
    """The id of the message with the last words, for whoever keeps the conversation."""
    caller: str = ""
    """The id of the caller's last message that was taken in."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any] | None) -> State:
        """From `as_dict`; a new call has none."""
        values = dict(data or {})
        for key, kind in (("asking", Asking), ("waiting", Asking), ("running", Running)):
            if values.get(key):
                values[key] = kind(**_copied(values[key]))
        for key in ("slots", "facts", "checked", "refused", "doubted", "deeds"):
            if key in values:
                values[key] = values[key].copy()
        values["rejected"] = _copied(values.get("rejected", {}))
        return cls(**values)


def _copied(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value.copy() if isinstance(value, list | dict) else value for key, value in data.items()}


@dataclass(frozen=True)
class ToolUse:
    """A tool to call, with arguments as JSON."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Move:
    """One move of the agent: words, tools to call after them, and where the dialogue is then."""

    say: str
    state: dict[str, Any]
    tools: tuple[ToolUse, ...] = ()
    words: str = ""
    """What of `say`, at its beginning, a language model has put in its own words."""
    question: str = ""
    """What of `say`, at its end, is a plain question that can be put in other words: nothing hangs on its own."""
    understood: bool = True
    """Whether every word of the turn was accounted for; otherwise somebody who understands more may be asked."""
