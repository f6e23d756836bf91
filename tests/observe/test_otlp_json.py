from __future__ import annotations

import base64
from typing import Any

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.doubles.otlp_collector import Collector
from tests.doubles.recorded_call import booking
from voicebot.observe import environment, spans
from voicebot.observe.context import parent_of
from voicebot.observe.otlp_json import document
from voicebot.observe.tracing import Tracing

OUTSIDE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_IDS = ("traceId", "spanId", "parentSpanId")


def read(value: Any) -> ExportTraceServiceRequest:
    """OTLP/JSON has its ids in hex, protobuf's own JSON in base64."""
    return json_format.ParseDict(_in_base64(value), ExportTraceServiceRequest())


def _in_base64(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_base64(each) for each in value]
    if not isinstance(value, dict):
        return value
    ids = {name: base64.b64encode(bytes.fromhex(value[name])).decode() for name in _IDS if name in value}
    return {name: _in_base64(each) for name, each in value.items()} | ids


@pytest.mark.parametrize("outside", ["", OUTSIDE])
def test_what_is_printed_is_what_the_exporter_sends(monkeypatch: pytest.MonkeyPatch, outside: str) -> None:
    call = booking()
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        tracing = Tracing(said=True)
        face = tracing.face(outside)
        for event in call.events:
            face(event)
        tracing.close()
    found = spans(call.events, said=True)
    resource = environment.resource()
    printed = read(document(found, call.call_id, call.started_at, resource, parent_of(outside)))
    (one,) = printed.resource_spans
    (scope,) = one.scope_spans
    sent = {span.span_id: span for span in collector.spans}
    assert len(sent) == len(scope.spans)
    for span in scope.spans:
        got = sent[span.span_id]
        got.ClearField("flags")  # what the SDK knows of its parents, which no receiver needs
        for link in got.links:
            link.ClearField("flags")
        for each in (got, span):
            ordered = sorted(each.attributes, key=lambda attribute: attribute.key)
            del each.attributes[:]
            each.attributes.extend(ordered)
        assert got == span
