"""One call's trace, as a face of the call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from voicebot.events import AgentSpeechStarted, CallEnded, CallStarted, Event
from voicebot.observe.context import Here, Parent, enter
from voicebot.observe.span import Span, trace_id
from voicebot.observe.spans import Spans, begun

if TYPE_CHECKING:
    from voicebot.observe.sdk import Sdk
    from voicebot.observe.tracing import Tracing

_MOST_EVENTS = 200
"""Made spans of at once, in a call whose agent is silent."""


class CallTrace:
    """Called on the event loop with each event of its call."""

    def __init__(self, tracing: Tracing, sdk: Sdk, parent: Parent | None) -> None:
        self._tracing = tracing
        self._sdk = sdk
        self._parent = parent
        self._events: list[Event] = []
        self._spans = Spans(said=tracing.said)
        self._started: CallStarted | None = None
        self._call: Any = None
        """The call's own span, open as long as the call; None for a call that is not sampled."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, CallStarted):
            self._begin(event)
        if self._call is None:
            return
        self._events.append(event)
        # Behind the first sound of an answer nobody waits for anything.
        if isinstance(event, AgentSpeechStarted | CallEnded) or len(self._events) >= _MOST_EVENTS:
            events, self._events = self._events, []
            self.write(events)

    def whole(self, call: Iterable[Event]) -> None:
        """A recorded call, at once."""
        for event in call:
            if isinstance(event, CallStarted):
                self._begin(event)
            self.write([event])
        self._write(self._spans.rest())

    def write(self, events: Sequence[Event]) -> None:
        """Queue the spans of the turns that are over with these events."""
        for event in events:
            self._write(self._spans.take(event))

    def _begin(self, started: CallStarted) -> None:
        self._started = started
        self._trace_id = self._parent.trace_id if self._parent else trace_id(started.call_id)
        call = self._sdk.begin(begun(started), started, self._trace_id, self._parent)
        sampled = call.is_recording()
        self._call = call if sampled else None
        # A face is called in the call's own task: what that begins from now on is part of this trace.
        enter(Here(started.call_id, self._trace_id, sampled))

    def _write(self, spans: Iterable[Span]) -> None:
        spans = list(spans)
        if not spans or self._started is None or self._call is None or not self._tracing.has_room(len(spans)):
            return
        for span in spans:
            part = self._sdk.begin(span, self._started, self._trace_id) if span.parent else self._call
            if part.is_recording():
                self._tracing.queued()
                self._sdk.end(part, span, self._started)
