from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.recorded_call import RecordedCall, Took, booking
from voicebot.events import (
    AgentSaying,
    AgentSpeechStarted,
    CallerSpeechStopped,
    CallStarted,
    Event,
    FirstAudio,
    FirstClause,
    FirstToken,
    ToolReturned,
    TranscriptFinal,
    TurnEnded,
)
from voicebot.latency import STAGES, Waterfall, percentiles, v2v_ms, waterfalls
from voicebot.store import views


def rows(calls: Path, query: str) -> list[dict[str, Any]]:
    with views.connect(calls) as db:
        answer = db.execute(query)
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def expected(fall: Waterfall) -> dict[str, float | None]:
    stages = {stage.name: stage.duration_ms for stage in fall.stages}
    return {f"{name}_ms": stages.get(name, 0.0) if fall.stages else None for name in STAGES}


def agree(row: dict[str, Any], fall: Waterfall) -> None:
    assert row["v2v_ms"] == (None if fall.v2v_ms is None else pytest.approx(fall.v2v_ms))
    assert row["filler_ms"] == (None if fall.filler_ms is None else pytest.approx(fall.filler_ms))
    for name, ms in expected(fall).items():
        assert row[name] == (None if ms is None else pytest.approx(ms, abs=1e-6)), name


def test_turns_say_the_same_as_the_waterfall(tmp_path: Path) -> None:
    call = booking().turn("hello?", None).turn("yes", "Good.", took=Took(turn=0.2), reason="silence")
    call.write(tmp_path)
    found = rows(tmp_path, "from turns order by turn")
    falls = waterfalls(call.events)
    assert [row["turn"] for row in found] == [fall.turn for fall in falls]
    for row, fall in zip(found, falls, strict=True):
        agree(row, fall)
        assert (row["caller"], row["tools"]) == (fall.text, len(fall.tools))
    assert found[1]["interrupted"]
    assert found[1]["agent"] == "On Tuesday I have nine thirty,"


def test_what_the_models_used_can_be_asked_for(tmp_path: Path) -> None:
    call = booking().turn("hello?", "Yes.", used=(1240, 1000, 35, 0.0006)).turn("bye", "Bye.", used=(60, 0, 5, None))
    call.write(tmp_path)
    (model,) = rows(tmp_path, "from models")
    assert (model["provider"], model["answers"], model["unpriced"]) == ("openai/gpt-4.1-mini", 2, 1)
    assert (model["input_tokens"], model["cached_tokens"], model["output_tokens"]) == (1300, 1000, 40)
    turns = rows(tmp_path, "select input_tokens, cost_usd from turns where input_tokens is not null order by turn")
    assert turns == [{"input_tokens": 1240, "cost_usd": 0.0006}, {"input_tokens": 60, "cost_usd": None}]
    (whole,) = rows(tmp_path, "select input_tokens, output_tokens, cost_usd from calls")
    assert whole == {"input_tokens": 1300, "output_tokens": 40, "cost_usd": 0.0006}


times = st.floats(min_value=0, max_value=4000, allow_nan=False)
lags = st.sampled_from([0.0, 35.0, 800.0])
marks = st.one_of(
    times.map(lambda t: CallerSpeechStopped(t_ms=t, turn=1, speech_end_ms=1000)),
    times.map(lambda t: TranscriptFinal(t_ms=t, turn=1, text="x")),
    st.builds(
        TurnEnded,
        t_ms=times,
        turn=st.just(1),
        text=st.just("x"),
        reason=st.sampled_from(["smart_turn", "text", "silence"]),
        speech_end_ms=times,
        decided_ms=times,
        decided_lag_ms=lags,
    ),
    times.map(lambda t: FirstToken(t_ms=t, turn=1)),
    times.map(lambda t: FirstClause(t_ms=t, turn=1)),
    times.map(lambda t: FirstAudio(t_ms=t, turn=1)),
    st.builds(AgentSpeechStarted, t_ms=times, turn=st.just(1), filler=st.booleans()),
    st.builds(
        AgentSaying,
        t_ms=times,
        turn=st.just(1),
        text=st.just("x"),
        starts_ms=times,
        ends_ms=times,
        filler=st.booleans(),
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=st.lists(st.tuples(marks, lags), max_size=12))
def test_turns_say_the_same_as_the_waterfall_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory, happened: list[tuple[Event, float]]
) -> None:
    calls = tmp_path_factory.mktemp("calls")
    call = RecordedCall()
    call.events.extend(event.model_copy(update={"lag_ms": lag_ms}) for event, lag_ms in happened)
    call.write(calls, audio=False)
    falls = waterfalls(call.events)
    found = rows(calls, "from turns")
    assert len(found) == len(falls)
    for row, fall in zip(found, falls, strict=True):
        agree(row, fall)


def test_calls_have_one_row_each_with_their_latency(tmp_path: Path) -> None:
    call = booking("a", started_at="2026-11-22T10:00:00+01:00")
    call.write(tmp_path)
    RecordedCall("b", started_at="2026-11-22T12:00:00+00:00").greets("Hello?").write(tmp_path)
    ended, silent = rows(tmp_path, "from calls")
    figures = percentiles(v2v_ms(waterfalls(call.events)))
    assert figures is not None
    assert (ended["call"], ended["turns"], ended["tools"], ended["barge_ins"]) == ("a", 4, 2, 1)
    assert (ended["v2v_p50_ms"], ended["v2v_p95_ms"]) == (pytest.approx(figures.p50), pytest.approx(figures.p95))
    assert ended["ended"] == "agent_hung_up"
    assert (silent["call"], silent["turns"], silent["v2v_p50_ms"], silent["ended"]) == ("b", 0, None, None)


def test_tools_have_one_row_for_each_time_they_answered(tmp_path: Path) -> None:
    call = booking("a")
    returned = {"id": "x", "name": "free", "result": "no"}
    call.events += [
        ToolReturned(t_ms=1, turn=1, ok=False, duration_ms=900, attempts=3, **returned),
        ToolReturned(t_ms=2, turn=1, ok=True, duration_ms=100, **returned),
    ]
    call.write(tmp_path, audio=False)
    found = rows(tmp_path, "from tools")
    assert [(row["name"], row["ok"], row["attempts"]) for row in found[-2:]] == [("free", False, 3), ("free", True, 1)]
    (free,) = rows(tmp_path, "select avg(ok::int) as success, count(*) as n from tools where name = 'free'")
    assert free == {"success": 0.5, "n": 2}


def test_a_line_cut_in_half_costs_only_itself(tmp_path: Path) -> None:
    call = booking()
    folder = call.write(tmp_path)
    with (folder / "events.jsonl").open("a") as events:
        events.write('{"v":1,"t_ms":1,"ty')
    assert rows(tmp_path, "select count(*) as n from events") == [{"n": len(call.events)}]


@pytest.mark.parametrize("folder", ["nowhere", "empty", "quiet"])
def test_without_records_the_views_are_empty(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "quiet" / "call").mkdir(parents=True)
    (tmp_path / "quiet" / "call" / "events.jsonl").touch()
    for view in views.VIEWS:
        assert rows(tmp_path / folder, f"from {view}") == []


@pytest.mark.parametrize("name", ["a [b]", "it's", "ä * ö"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    booking().write(tmp_path / name / "calls")
    assert rows(tmp_path / name / "calls", "select turns from calls") == [{"turns": 4}]


def test_every_field_of_every_event_is_a_column() -> None:
    assert set(CallStarted.model_fields) | set(TurnEnded.model_fields) <= set(views.columns())
    assert views.columns()["arguments"] == "JSON"
    assert views.columns()["probability"] == "DOUBLE"


def test_fields_that_are_json_can_be_taken_apart(tmp_path: Path) -> None:
    booking().write(tmp_path)
    names = rows(tmp_path, "select arguments->>'name' as name from events where type = 'tool_called' and name = 'book'")
    assert names == [{"name": "Nina Lopez"}]


@pytest.mark.parametrize("example", views.EXAMPLES)
def test_the_examples_work(tmp_path: Path, example: str) -> None:
    booking().write(tmp_path)
    assert rows(tmp_path, example)


@pytest.mark.parametrize(
    "query",
    [
        "copy (from calls) to '{out}'",
        "copy events to '{out}' (format parquet)",
        "attach '{out}' as other",
        "export database '{out}'",
        "from read_text('{secret}')",
        "from read_csv('{secret}')",
        "from '{secret}'",
        "from glob('{folder}/*')",
        "install httpfs",
        "load '{secret}'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset enable_external_access",
        "set allowed_directories = ['/']",
        "set temp_directory = '{folder}'",
        "pragma enable_profiling = 'json'",
    ],
)
def test_a_query_cannot_touch_files_or_settings(tmp_path: Path, query: str) -> None:
    booking().write(tmp_path / "calls")
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    before = sorted(tmp_path.rglob("*"))
    with views.connect(tmp_path / "calls") as db, pytest.raises(duckdb.Error):
        db.execute(query.format(out=tmp_path / "out", secret=secret, folder=tmp_path)).fetchall()
    assert sorted(tmp_path.rglob("*")) == before


def test_records_from_before_there_was_a_lag_can_be_asked(tmp_path: Path) -> None:
    folder = booking().write(tmp_path)
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("lag_ms")
        line.pop("decided_lag_ms", None)
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    falls = waterfalls(booking().events)
    assert [row["v2v_ms"] for row in rows(tmp_path, "from turns order by turn")] == [
        pytest.approx(fall.v2v_ms) for fall in falls
    ]
