"""Spans as OTLP/JSON, the form that collectors take at `/v1/traces` with `Content-Type: application/json`.

Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding": ids are hex, 64-bit numbers are text, enums numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from voicebot import __version__
from voicebot.observe.context import Parent
from voicebot.observe.span import Attributes, Kind, Moment, Span, Value, span_id, trace_id

_KINDS: dict[Kind, int] = {"internal": 1, "server": 2, "client": 3}
_ERROR = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ns(started_at: str, at_ms: float) -> int:
    """Nanoseconds since 1970 of a moment of a call that was answered at `started_at` (ISO 8601 with offset)."""
    return _answered_ns(started_at) + round(at_ms * 1e6)


@lru_cache(maxsize=256)
def _answered_ns(started_at: str) -> int:
    return (datetime.fromisoformat(started_at) - _EPOCH) // timedelta(microseconds=1) * 1000


def document(
    spans: Iterable[Span], call_id: str, started_at: str, resource: Attributes, parent: Parent | None = None
) -> dict[str, Any]:
    """An ExportTraceServiceRequest with all spans of a call."""
    writing = _Writing(call_id, started_at, parent)
    scope = {"name": "voicebot", "version": __version__}
    traced = {"scope": scope, "spans": [writing.span(span) for span in spans]}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [traced]}]}


class _Writing:
    def __init__(self, call_id: str, started_at: str, parent: Parent | None) -> None:
        self._call_id = call_id
        self._started_at = started_at
        self._parent = parent
        self._trace_id = parent.trace_id if parent else trace_id(call_id)

    def span(self, span: Span) -> dict[str, Any]:
        written: dict[str, Any] = {"traceId": self._trace_id, "spanId": self._id(span.key)}
        if span.parent or self._parent:
            written["parentSpanId"] = self._id(span.parent) if span.parent else self._parent and self._parent.span_id
        written |= {"name": span.name, "kind": _KINDS[span.kind]}
        written |= {"startTimeUnixNano": self._at(span.start_ms), "endTimeUnixNano": self._at(span.end_ms)}
        written["attributes"] = _attributes(with_error(span))
        if span.moments:
            written["events"] = [self._event(moment) for moment in span.moments]
        if span.link:
            written["links"] = [{"traceId": self._trace_id, "spanId": self._id(span.link)}]
        written["status"] = {"code": _ERROR} if span.error else {}
        return written

    def _event(self, moment: Moment) -> dict[str, Any]:
        at = {"timeUnixNano": self._at(moment.at_ms), "name": moment.name}
        return {**at, "attributes": _attributes(moment.attributes)}

    def _id(self, key: str) -> str:
        return span_id(self._call_id, key)

    def _at(self, at_ms: float) -> str:
        return str(epoch_ns(self._started_at, at_ms))


def with_error(span: Span) -> Attributes:
    return {**span.attributes, "error.type": span.error} if span.error else span.attributes


def _attributes(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
