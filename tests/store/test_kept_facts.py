"""What is kept of calls between questions: made anew when it has to be, and never in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.recorded_call import RecordedCall, booking
from voicebot import events
from voicebot.store import facts, gather, kept, kpis, views


def answered(name: str) -> RecordedCall:
    return RecordedCall(f"20261122-101500-{name}").greets("Hello.").turn("i would like to book", "Which day?")


def write(folder: Path, *made: RecordedCall) -> None:
    for each in made:
        each.write(folder / "calls", audio=False)


def ask(folder: Path) -> kpis.Row:
    (row,) = kpis.ask(folder / "calls", kpis.Question())
    return row


def figure(folder: Path, name: str) -> tuple[float | None, int]:
    found = ask(folder).figures[name]
    return found.value, found.n


def few_calls(folder: Path) -> None:
    write(folder, answered("c").ended(), answered("f").ended("failed"), answered("r"))


def kept_file(folder: Path) -> Path:
    (file,) = (folder / ".voicebot").glob("facts-*")
    return file


def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[str] = []
    load = views.load_events

    def watched(db: Any, logs: list[Path], *rest: Any) -> None:
        read.extend(log.parent.name for log in logs)
        load(db, logs, *rest)

    monkeypatch.setattr(views, "load_events", watched)
    few_calls(tmp_path)
    first = ask(tmp_path)
    assert len(read) == 3
    read.clear()
    assert ask(tmp_path) == first
    assert read == []

    running = tmp_path / "calls" / "20261122-101500-r" / "events.jsonl"
    with running.open("a") as log:
        log.write(events.CallEnded(t_ms=60_000, turn=1, reason="caller_hung_up").model_dump_json() + "\n")
    write(tmp_path, answered("new").ended())
    for file in (tmp_path / "calls" / "20261122-101500-f").iterdir():
        file.unlink()
    assert figure(tmp_path, "failure") == (0, 3)
    assert sorted(read) == ["20261122-101500-new", "20261122-101500-r"]


def test_a_changed_definition_makes_all_anew_without_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(
        tmp_path, RecordedCall("a").turn("hello", None).ended("caller_hung_up"), answered("b").ended("caller_hung_up")
    )
    assert figure(tmp_path, "abandonment") == (0.5, 2)
    before = kept_file(tmp_path)
    changed = facts._sql().replace("when answered = 0 or kept_waiting then 'abandoned'", "")
    monkeypatch.setattr(facts, "_sql", lambda: changed)
    assert figure(tmp_path, "abandonment") == (0, 2)
    assert kept_file(tmp_path) != before
    assert not before.exists()


def test_new_prices_make_all_anew(tmp_path: Path):
    own = RecordedCall("a").turn("hi", "Hi.", used=(1_000_000, 0, 0, None))
    own.events = [
        event.model_copy(update={"provider": "vllm2/own"}) if isinstance(event, events.ModelUsed) else event
        for event in own.events
    ]
    write(tmp_path, own.ended())
    assert figure(tmp_path, "cost") == (None, 0)
    (tmp_path / "prices.yaml").write_text('llm: {vllm2: {as_of: 2026-11-01, models: {"*": {input: 2, output: 2}}}}\n')
    assert figure(tmp_path, "cost") == (2.0, 1)


def test_what_is_kept_may_be_damaged_or_impossible_to_keep(tmp_path: Path):
    few_calls(tmp_path)
    first = ask(tmp_path)
    kept_file(tmp_path).write_bytes(b"PAR1 nonsense")
    assert ask(tmp_path) == first
    kept_file(tmp_path).unlink()
    (tmp_path / ".voicebot").rmdir()
    (tmp_path / ".voicebot").write_text("a file where the folder should be")
    assert ask(tmp_path) == first


def test_the_order_of_events_survives_being_gathered_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gather, "PIECE_BYTES", 20_000)
    for number in range(12):
        booking(f"call-{number:02d}").write(tmp_path / "calls", audio=False)
    with kept.connect(tmp_path / "calls") as db:
        found = db.execute("select distinct agent_ms, caller_ms, silent_ms, v2v_ms from facts").fetchall()
    assert len(found) == 1


def test_damaged_logs_cost_only_themselves(tmp_path: Path):
    write(tmp_path, answered("a").ended("caller_hung_up"), answered("b").ended("caller_hung_up"))
    log = tmp_path / "calls" / "20261122-101500-a" / "events.jsonl"
    log.write_bytes(log.read_bytes() + b'{"v":1,"t_ms":9000,"type":"call_en')
    hostile = tmp_path / "calls" / 'quo"ted\\name'
    hostile.mkdir()
    (hostile / "events.jsonl").write_bytes(b"\x00\xff{}\n{\n[1]\nnull\n")
    (tmp_path / "calls" / "empty").mkdir()
    (tmp_path / "calls" / "empty" / "events.jsonl").write_bytes(b"")
    assert figure(tmp_path, "containment") == (1, 2)
