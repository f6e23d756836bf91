"""A span: a stretch of a call's time that has a name. What exporters and drawings are made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | int | float | bool
Attributes = Mapping[str, Value]
Kind = Literal["server", "client", "internal"]

CALL = "call"
"""The key of the span that is the whole call."""


@dataclass(frozen=True)
class Moment:
    """What happened within a span; OpenTelemetry calls it an event."""

    name: str
    at_ms: float
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    key: str
    """Which of the call's spans it is: 'call', 'turn 2', 'turn 2 brain'. The same whenever it is computed."""
    parent: str
    """The key of the span that it is a part of; '' for the call."""
    name: str
    start_ms: float
    """Since the call was answered, on the real clock (`voicebot.latency.real_ms`)."""
    end_ms: float
    kind: Kind = "internal"
    attributes: Attributes = field(default_factory=dict)
    moments: tuple[Moment, ...] = ()
    link: str = ""
    """The key of the turn that this one interrupted."""
    error: str = ""
    """What class of failure it ended in; '' when it did not."""

    @property
    def duration_ms(self) -> float:
        return self.end_ms - self.start_ms


def trace_id(call_id: str) -> str:
    """32 hex digits: the trace of a call that nobody else has begun one for. Two exports of a call are one trace."""
    return hashlib.sha256(call_id.encode()).hexdigest()[:32]


def span_id(call_id: str, key: str) -> str:
    """16 hex digits."""
    return hashlib.sha256(f"{call_id}/{key}".encode()).hexdigest()[:16]
