"""The environment alone has every call traced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from tests.doubles.otlp_collector import Collector
from tests.doubles.spoken import SpokenCall
from voicebot import events
from voicebot.observe import span_id, spans
from voicebot.observe.tracing import tracing_wanted


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        tracing_wanted.cache_clear()
        yield collector
        if tracing := tracing_wanted():
            tracing.close(0.1)
    tracing_wanted.cache_clear()


async def asks(call: SpokenCall) -> None:
    await call.until(events.AgentSpeechStopped)
    await call.say("I would like to book a table.")
    await call.until(events.AgentSpeechStopped, 2)


def test_every_call_is_traced_when_the_environment_names_a_collector(collector: Collector) -> None:
    call = SpokenCall(["i would like to book a table"], ["Yes?"])
    call.play(asks)
    tracing = tracing_wanted()
    assert tracing
    tracing.close()
    expected = {span_id(call.call.id, span.key) for span in spans(call.events)}
    assert {span.span_id.hex() for span in collector.spans} == expected


def test_no_call_is_traced_when_it_does_not(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    SpokenCall(["i would like to book a table"], ["Yes?"]).play(asks)
    assert tracing_wanted() is None
    assert collector.asked == 0
