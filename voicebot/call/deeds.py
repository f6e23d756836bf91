"""What a brain did besides speaking, as the events of a call."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from voicebot import events
from voicebot.brain import (
    CallTool,
    Discreet,
    Failed,
    Guarded,
    HandOver,
    HangUp,
    Moved,
    Output,
    Prepared,
    PressKeys,
    Say,
    ToolResult,
    Used,
)

_EVENTS: dict[type[Output], type[events.Event]] = {
    CallTool: events.ToolCalled,
    ToolResult: events.ToolReturned,
    Moved: events.BrainMoved,
    HandOver: events.HandedOver,
    Used: events.ModelUsed,
    Prepared: events.BrainPrepared,
    Guarded: events.GuardrailHit,
    Failed: events.ProviderFailed,
    PressKeys: events.KeysPressed,
}
_MORE: dict[type[Output], dict[str, Any]] = {PressKeys: {"side": "agent"}}


def event_of(output: Output) -> tuple[type[events.Event], dict[str, Any]] | None:
    """The event that tells of `output` and its fields; None for what the call tells itself."""
    if isinstance(output, Say | HangUp | Discreet):
        return None
    kind = type(output)
    return _EVENTS[kind], {**asdict(output), **_MORE.get(kind, {})}
