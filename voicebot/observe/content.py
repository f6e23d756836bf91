"""What was said in a call, as attributes of its spans: only for those who ask for it.

It is what the call's record has, so guardrails have redacted it. The shape is that of the GenAI conventions' messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic_core import to_json

from voicebot.events import AgentSpeechStopped, Event, ToolCalled, ToolReturned, TurnEnded
from voicebot.observe.span import Attributes, Value


def of_turn(events: Iterable[Event]) -> Attributes:
    """What the caller said, and what they heard."""
    events = list(events)
    said = next((event.text for event in reversed(events) if isinstance(event, TurnEnded)), "")
    heard = [event.heard for event in events if isinstance(event, AgentSpeechStopped) and event.heard]
    attributes: dict[str, Value] = {}
    if said:
        attributes["gen_ai.input.messages"] = _json([_message("user", said)])
    if heard:
        attributes["gen_ai.output.messages"] = _json([_message("assistant", *heard)])
    return attributes


def of_tool(called: ToolCalled, returned: ToolReturned | None) -> Attributes:
    attributes: dict[str, Value] = {"gen_ai.tool.call.arguments": _json(called.arguments)}
    if returned:
        attributes["gen_ai.tool.call.result"] = _json(returned.result)
    return attributes


def of_event(event: Event, names: Iterable[str]) -> Attributes:
    """Its fields `names`, where they say something."""
    told = {name: getattr(event, name, None) for name in names}
    return {f"voicebot.{name}": _plain(value) for name, value in told.items() if value}


def _message(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text} for text in texts]}


def _plain(value: Any) -> Value:
    return value if isinstance(value, str | bool | int | float) else _json(value)


def _json(value: Any) -> str:
    return to_json(value, fallback=str).decode()
