"""Traces on their way to a collector that speaks the real protocol."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import pytest
from loguru import logger

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from tests.doubles.otlp_collector import Collector, attributes
from tests.doubles.recorded_call import RecordedCall, booking
from voicebot.errors import BadInput
from voicebot.latency import waterfalls
from voicebot.observe import environment, span_id, spans, trace_id
from voicebot.observe.context import headers
from voicebot.observe.otlp_json import epoch_ns
from voicebot.observe.tracing import Tracing, tracing_wanted

OUTSIDE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What is logged for the operator."""
    lines: list[str] = []
    number = logger.add(lambda line: lines.append(str(line).strip()), format="{level} {message}", level="INFO")
    yield lines
    logger.remove(number)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Tracing]]:
    """Tracing with these variables of the environment set; closed at the end."""
    made: list[Tracing] = []

    def open_(collector: Collector, **env: str) -> Tracing:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        made.append(Tracing())
        return made[-1]

    yield open_
    for tracing in made:
        tracing.close(0.1)


Opened = Callable[..., Tracing]


def sent(tracing: Tracing, call: RecordedCall) -> None:
    tracing.export(call.events)
    tracing.close()


def until(true: Callable[[], object], within_s: float = 5.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


# -- what arrives ----------------------------------------------------------------------------------------------------


def test_spans_arrive_with_their_parents_times_and_links(collector: Collector, opened: Opened) -> None:
    call = booking()
    sent(opened(collector), call)
    arrived = {span.span_id.hex(): span for span in collector.spans}
    assert {span.trace_id.hex() for span in collector.spans} == {trace_id(call.call_id)}
    expected = spans(call.events)
    assert len(arrived) == len(expected) == len(collector.spans)
    for span in expected:
        got = arrived[span_id(call.call_id, span.key)]
        assert got.name == span.name
        assert got.parent_span_id.hex() == (span_id(call.call_id, span.parent) if span.parent else "")
        assert got.start_time_unix_nano == epoch_ns(call.started_at, span.start_ms)
        assert got.end_time_unix_nano == epoch_ns(call.started_at, span.end_ms)
        assert [link.span_id.hex() for link in got.links] == ([span_id(call.call_id, span.link)] if span.link else [])
        assert {name: attributes(got)[name] for name in span.attributes} == span.attributes
        assert [event.name for event in got.events] == [moment.name for moment in span.moments]
    kinds = {span.name: span.kind for span in collector.spans}
    assert (kinds[f"call {call.agent}"], kinds["brain"]) == (2, 1)


def test_stages_take_as_long_as_in_the_waterfall(collector: Collector, opened: Opened) -> None:
    call = booking()
    sent(opened(collector), call)
    for fall in waterfalls(call.events):
        turn = span_id(call.call_id, f"turn {fall.turn}")
        below = [span for span in collector.spans if span.parent_span_id.hex() == turn]
        took = {span.name: (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6 for span in below}
        assert {stage.name: took[stage.name] for stage in fall.stages} == {
            stage.name: pytest.approx(stage.duration_ms, abs=1e-3) for stage in fall.stages
        }


def test_errors_are_a_status(collector: Collector, opened: Opened) -> None:
    sent(opened(collector), RecordedCall().greets("Hello?").ended("failed"))
    call = collector.one("call Bright Smile Dental")
    assert (call.status.code, attributes(call)["error.type"]) == (2, "failed")
    assert collector.one("invoke_agent Bright Smile Dental").status.code == 0


def test_the_environment_says_who_sends_and_with_which_headers(collector: Collector, opened: Opened) -> None:
    env = {"OTEL_SERVICE_NAME": "desk", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=a%20b,service.name=x"}
    tracing = opened(collector, OTEL_EXPORTER_OTLP_HEADERS="x-key=secret", OTEL_EXPORTER_OTLP_COMPRESSION="gzip", **env)
    sent(tracing, booking())
    (resource,) = collector.requests[0].resource_spans
    about = attributes(resource.resource)
    assert (about["service.name"], about["deployment.environment.name"]) == ("desk", "a b")
    assert collector.headers[0]["x-key"] == "secret"
    assert collector.headers[0]["content-encoding"] == "gzip"


def test_what_was_said_is_sent_only_when_it_is_asked_for(collector: Collector, opened: Opened) -> None:
    sent(opened(collector), booking("silent", agent="Ava"))
    assert not [text for text in collector.texts if "nina" in text.lower() or "cleaning" in text]
    sent(opened(collector, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true"), booking("told", agent="Ava"))
    assert [text for text in collector.texts if "cleaning" in text]


def test_turns_are_sent_while_the_call_goes_on(collector: Collector, opened: Opened) -> None:
    tracing = opened(collector, OTEL_BSP_SCHEDULE_DELAY="10")
    face = tracing.face()
    for event in booking().events[:-1]:
        face(event)
    until(lambda: len(collector.named("invoke_agent Bright Smile Dental")) == 4)
    assert collector.named("call Bright Smile Dental") == []


# -- whose part it is, and which calls -------------------------------------------------------------------------------


def test_a_call_is_a_part_of_the_trace_of_the_request_that_began_it(collector: Collector, opened: Opened) -> None:
    tracing = opened(collector)
    face = tracing.face(OUTSIDE)
    for event in booking().events:
        face(event)
    tracing.close()
    _, trace, above, _ = OUTSIDE.split("-")
    assert {span.trace_id.hex() for span in collector.spans} == {trace}
    call = collector.one("call Bright Smile Dental")
    assert call.parent_span_id.hex() == above
    assert {span.parent_span_id for span in collector.named("invoke_agent Bright Smile Dental")} == {call.span_id}


def ids(count: int) -> list[str]:
    return [f"20261122-101500-{n:06x}" for n in range(count)]


def test_a_call_is_traced_whole_or_not_at_all(collector: Collector, opened: Opened) -> None:
    tracing = opened(collector, OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0.5")
    whole = len(spans(booking().events))
    for id_ in ids(40):
        tracing.export(booking(id_).events)
    tracing.close()
    of: dict[bytes, int] = {}
    for span in collector.spans:
        of[span.trace_id] = of.get(span.trace_id, 0) + 1
    assert set(of.values()) == {whole}
    assert 10 <= len(of) <= 30
    assert tracing.lost == 0


@pytest.mark.parametrize(("flags", "count"), [("00", 0), ("01", 1)])
def test_the_request_that_began_a_call_decides_whether_it_is_traced(
    collector: Collector, opened: Opened, flags: str, count: int
) -> None:
    tracing = opened(collector)
    face = tracing.face(f"{OUTSIDE[:-2]}{flags}")
    for event in booking().events:
        face(event)
    assert headers()["traceparent"].endswith(f"-{flags}")
    tracing.close()
    assert len(collector.named("call Bright Smile Dental")) == count
    assert bool(collector.asked) == bool(count)


# -- a collector in trouble ------------------------------------------------------------------------------------------


def test_a_collector_that_refuses_is_told_of_once_and_what_it_lost_is_counted(
    opened: Opened, told: list[str], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with Collector(status=500) as collector, caplog.at_level(logging.DEBUG, "opentelemetry"):
        tracing = opened(collector, OTEL_BSP_SCHEDULE_DELAY="10")
        for id_ in ids(3):
            tracing.export(booking(id_).events)
            until(lambda: tracing.waiting == 0)
        tracing.close()
        count = 3 * len(spans(booking().events))
        assert (tracing.lost, tracing.collector.sent) == (count, 0)
        assert told == [
            f"WARNING traces do not reach {collector.url} (HTTP 500): what it does not take is dropped",
            f"WARNING {count} spans of traces did not reach {collector.url}",
        ]
    assert "Failed to export" not in capfd.readouterr().err


def test_a_collector_that_comes_back_gets_what_comes_then(opened: Opened, told: list[str]) -> None:
    with Collector(status=500) as collector:
        tracing = opened(collector, OTEL_BSP_SCHEDULE_DELAY="10")
        tracing.export(booking("first").events)
        until(lambda: tracing.lost)
        collector.status = 200
        sent(tracing, booking("second"))
        assert {span.trace_id.hex() for span in collector.spans} == {trace_id("second")}
        assert any("again" in line for line in told)


def test_nobody_waits_for_a_collector_that_hangs(opened: Opened, told: list[str]) -> None:
    with Collector(hangs=True) as collector:
        tracing = opened(collector, OTEL_BSP_SCHEDULE_DELAY="10", OTEL_BSP_MAX_QUEUE_SIZE="200")
        took: list[float] = []
        for id_ in ids(30):
            began = time.perf_counter()
            tracing.export(booking(id_).events)
            took.append(time.perf_counter() - began)
        assert sorted(took)[len(took) // 2] < 0.1
        assert tracing.waiting <= 200
        assert tracing.lost > 200
        began = time.perf_counter()
        tracing.close(0.2)
        assert time.perf_counter() - began < 1.0
        assert tracing.lost == 30 * len(spans(booking().events)) - tracing.collector.sent
        assert [line for line in told if "too slowly" in line] == told[:1]
        assert len(told) == 2


def test_nobody_waits_for_a_collector_that_is_gone(opened: Opened, told: list[str]) -> None:
    with Collector() as collector:
        tracing = opened(collector, OTEL_BSP_SCHEDULE_DELAY="10", OTEL_EXPORTER_OTLP_TIMEOUT="0.2")
        tracing.export(booking("first").events)
        until(lambda: collector.spans)
    tracing.export(booking("second").events)
    until(lambda: tracing.lost, within_s=10)
    tracing.close(0.5)
    assert told[0].startswith(f"WARNING traces do not reach {collector.url} (")


# -- off, and asked for in vain --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_tracing_is_off_until_the_environment_names_a_collector(env: dict[str, str], wanted: bool) -> None:
    assert environment.wanted(env) is wanted


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
    ],
)
def test_what_cannot_be_had_is_said_and_calls_go_on_without(
    env: dict[str, str], words: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match=words):
        environment.wanted(env)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    tracing_wanted.cache_clear()
    assert tracing_wanted() is None
    assert tracing_wanted() is None
    assert [words in line for line in told] == [True]
    tracing_wanted.cache_clear()


def test_no_password_is_told_of_a_collector() -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:pass@collector.example:4318/x?key=secret"}
    assert environment.place(env) == "https://collector.example:4318"
