"""Our spans as those of OpenTelemetry's SDK, with ids and times of our own. Loads the SDK, which is an extra."""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from voicebot import __version__
from voicebot.events import CallStarted
from voicebot.observe import environment
from voicebot.observe.context import Parent
from voicebot.observe.otlp_json import epoch_ns, with_error
from voicebot.observe.span import Span, span_id


class Sdk:
    """Sampler, limits of spans and resource are as the environment says; `processor` gets the spans that have ended."""

    def __init__(self, processor: Any, *, every_call: bool) -> None:
        self._ids = _Ids()
        ids: Any = self._ids  # of the SDK's kind by what it does
        resource = Resource.create(dict(environment.resource()))
        self._provider = TracerProvider(
            ALWAYS_ON if every_call else None, resource, id_generator=ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("voicebot", __version__)

    def begin(self, span: Span, started: CallStarted, trace: str, parent: Parent | None = None) -> Any:
        """The SDK's span, open; not recording when it is not sampled. `parent`: somebody else's span above it."""
        call_id = started.call_id
        above = parent or (Parent(trace, span_id(call_id, span.parent), sampled=True) if span.parent else None)
        links = [Link(_place(Parent(trace, span_id(call_id, span.link), sampled=True)))] if span.link else None
        self._ids.trace_id, self._ids.span_id = trace, span_id(call_id, span.key)
        return self._tracer.start_span(
            span.name,
            context=_above(above, is_remote=parent is not None),
            kind=SpanKind[span.kind.upper()],
            attributes=with_error(span),
            links=links,
            start_time=epoch_ns(started.started_at, span.start_ms),
        )

    def end(self, begun: Any, span: Span, started: CallStarted) -> None:
        """`span` is what `begun` was begun with, unless that is the call's own: of that more is known by now."""
        if not span.parent:
            begun.set_attributes(with_error(span))
        for moment in span.moments:
            begun.add_event(moment.name, moment.attributes, epoch_ns(started.started_at, moment.at_ms))
        if span.error:
            begun.set_status(StatusCode.ERROR)
        begun.end(epoch_ns(started.started_at, span.end_ms))

    def close(self) -> None:
        """Blocks until the processor has sent what it has."""
        self._provider.shutdown()


def _place(span: Parent, *, is_remote: bool = False) -> Any:
    flags = TraceFlags(TraceFlags.SAMPLED if span.sampled else TraceFlags.DEFAULT)
    return SpanContext(int(span.trace_id, 16), int(span.span_id, 16), is_remote, flags)


def _above(span: Parent | None, *, is_remote: bool) -> Any:
    """A context with nothing in it but the parent: other instrumentation of this process is not ours."""
    if span is None:
        return Context()
    return set_span_in_context(NonRecordingSpan(_place(span, is_remote=is_remote)), Context())


class _Ids(threading.local):
    """The SDK's id generator: it gives out what it was told."""

    trace_id = ""
    span_id = ""

    def generate_trace_id(self) -> int:
        return int(self.trace_id, 16)

    def generate_span_id(self) -> int:
        return int(self.span_id, 16)

    def is_trace_id_random(self) -> bool:
        """They are hashes; nothing is promised of their bits."""
        return False
