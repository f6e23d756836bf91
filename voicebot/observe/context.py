"""Whose part a call's trace is, and what is a part of it: the `traceparent` header of W3C Trace Context (level 1).

Inside a traced call, and in all tasks and threads that it begins, `headers()` is what a request to another service
needs, so that the service's spans stand below the call's.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, replace

from voicebot.observe.span import CALL, span_id

_HEADER = re.compile(r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")
_SAMPLED = 0x01


@dataclass(frozen=True)
class Parent:
    """Somebody else's span."""

    trace_id: str
    span_id: str
    sampled: bool


def parent_of(traceparent: str) -> Parent | None:
    """The parent that a header names; None for one that is not to be followed, whatever is wrong with it."""
    found = _HEADER.match(traceparent.strip())
    if found is None or found["version"] == "ff" or not int(found["trace"], 16) or not int(found["span"], 16):
        return None
    behind = traceparent.strip()[found.end() :]
    if behind and (found["version"] == "00" or not behind.startswith("-")):
        return None  # later versions may say more behind what this one knows
    return Parent(found["trace"], found["span"], bool(int(found["flags"], 16) & _SAMPLED))


@dataclass(frozen=True)
class Here:
    """Where in which trace the running code is."""

    call_id: str
    trace_id: str
    sampled: bool
    key: str = CALL


_here: ContextVar[Here | None] = ContextVar("voicebot_trace", default=None)


def enter(here: Here) -> None:
    """The running task, and what it begins from now on, belongs to this call."""
    _here.set(here)


def enter_tool(call_id: str) -> None:
    """... and to this tool of it."""
    if here := _here.get():
        _here.set(replace(here, key=tool_key(call_id)))


def tool_key(call_id: str) -> str:
    """The key of a tool's span, by the id of the tool call."""
    return f"tool {call_id}"


def trace_id() -> str:
    """Of the trace that the running code is a part of; '' where nobody traces."""
    here = _here.get()
    return here.trace_id if here and here.sampled else ""


def headers() -> dict[str, str]:
    """`traceparent` for a request to another service; empty where nobody traces."""
    here = _here.get()
    if here is None:
        return {}
    flags = _SAMPLED if here.sampled else 0
    return {"traceparent": f"00-{here.trace_id}-{span_id(here.call_id, here.key)}-{flags:02x}"}
