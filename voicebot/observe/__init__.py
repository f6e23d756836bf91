"""What can be seen of calls from outside: their traces.

    span.py     what a span is, and its ids       turns.py       a call's events, sorted into turns
    spans.py    a call's spans                    turn_spans.py  a turn's, with moments, models and content
    context.py  `traceparent`: who is whose part  otlp_json.py   spans as OTLP/JSON
    tracing.py  to a collector, live: call_trace.py is the face of a call, sdk.py and collector.py the way out
    environment.py  what the OTEL_* variables say

Spans are a function of events, so a call can be drawn, printed or sent at any time after it was held.
"""

from voicebot.observe.span import Moment, Span, span_id, trace_id
from voicebot.observe.spans import Spans, spans

__all__ = ["Moment", "Span", "Spans", "span_id", "spans", "trace_id"]
