from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.doubles.recorded_call import booking
from voicebot.commands import run
from voicebot.observe import spans, trace_id

ID = "20261122-101500-aaaa01"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a project with a call in it."""
    booking(ID).write(tmp_path / "calls", audio=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_trace_is_drawn_one_line_a_span(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calls", "trace", "last"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) == len(spans(booking(ID).events))
    assert captured.err == f"trace {trace_id(ID)}\n"
    assert lines[0].startswith("call Bright Smile Dental ")
    assert lines[0].endswith(" 0.000 s   23.3 s")
    (second,) = [line for line in lines if line.startswith("├─ turn 2 ")]
    assert second.endswith(" 9.059 s  4822 ms  v2v 662 ms  interrupted  at confirm  barge in")
    (silence, *_) = [line for line in lines if line.startswith("│  ├─ silence ")]
    assert silence.endswith(" 6.275 s   200 ms")
    assert len({line.index(" s ") for line in lines}) == 1  # numbers stand below each other


def test_bars_lie_where_their_spans_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calls", "trace", ID]) == 0
    lines = capsys.readouterr().out.splitlines()
    turns = [line for line in lines if " turn " in line[:8] and "─ turn" in line]
    assert all(line.count("█") > 5 for line in turns)
    begins = [line.index("█") for line in turns]
    assert begins == sorted(begins)
    assert all("█" in line or "▏" in line for line in lines)


def test_json_is_a_request_that_a_collector_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calls", "trace", "last", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (resource,) = document["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    assert {"key": "service.name", "value": {"stringValue": "voicebot"}} in resource["resource"]["attributes"]
    assert {span["traceId"] for span in scope["spans"]} == {trace_id(ID)}
    assert "parentSpanId" not in scope["spans"][0]


def test_what_was_said_is_shown_only_when_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["calls", "trace", "last", "--json"]) == 0
    assert "nina lopez" not in capsys.readouterr().out
    assert run(["calls", "trace", "last", "--json", "--content"]) == 0
    assert "nina lopez" in capsys.readouterr().out
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "span_only")
    assert run(["calls", "trace", "last", "--json"]) == 0
    assert "nina lopez" in capsys.readouterr().out


def test_a_past_call_is_sent_to_the_collector(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from tests.doubles.otlp_collector import Collector

    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")  # which is for calls that nobody has asked for by name
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        assert run(["calls", "trace", "last", "--export"]) == 0
    assert len(collector.spans) == len(spans(booking(ID).events))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"sent {len(collector.spans)} spans to {collector.url}\n"


def test_a_collector_that_does_not_take_it_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from tests.doubles.otlp_collector import Collector

    with Collector(status=401) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        assert run(["calls", "trace", "last", "--export"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {collector.url} did not take the trace (HTTP 401)")


def test_without_the_extra_it_is_drawn_and_not_sent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk.trace.export"):
        monkeypatch.setitem(sys.modules, name, None)
    assert run(["calls", "trace", "last"]) == 0
    assert run(["calls", "trace", "last", "--json"]) == 0
    assert run(["calls", "trace", "last", "--export"]) == 3
    assert 'pip install "voicebot[observe]"' in capsys.readouterr().err
