from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.doubles.recorded_call import RecordedCall, booking
from voicebot.errors import BadInput
from voicebot.store import calls

EARLY, LATE = "20261122-101500-aaaa01", "20261122-111500-bbbb02"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two calls; the id that sorts first began first."""
    booking(EARLY, started_at="2026-11-22T10:15:00+00:00").write(tmp_path / "calls")
    booking(LATE, started_at="2026-11-22T11:15:00+00:00").write(tmp_path / "calls")
    return tmp_path


def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def append(folder: Path, text: str) -> None:
    with (folder / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write(text)


def test_a_record_says_what_happened(project: Path) -> None:
    record = calls.find(LATE, project)
    assert record.state == "ended"
    assert record.how_it_ended == "agent hung up"
    assert len(record.waterfalls) == 4
    assert record.latency is not None
    assert record.latency.n == 4
    assert record.audio == record.folder / "call.wav"
    assert (record.broken, record.cut) == ((), False)


def test_a_last_line_cut_in_half_is_normal(project: Path) -> None:
    append(project / "calls" / LATE, '{"v":1,"t_ms":99999,"turn":4,"type":"caller_sp')
    record = calls.find(LATE, project)
    assert record.cut
    assert record.broken == ()
    assert record.state == "ended"


def test_a_last_line_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    folder = booking().write(tmp_path / "calls")
    path = folder / "events.jsonl"
    path.write_text(path.read_text().rstrip("\n"))
    assert calls.read(folder).how_it_ended == "agent hung up"


def test_broken_lines_are_counted_and_skipped(project: Path) -> None:
    path = project / "calls" / LATE / "events.jsonl"
    lines = path.read_text().splitlines()
    lines[4] = lines[4][:20]
    lines[7] = json.dumps({"v": 1, "t_ms": 1, "turn": 1, "type": "from_the_future"})
    path.write_text("\n".join(lines) + "\n")
    record = calls.find(LATE, project)
    assert record.broken == (5, 8)
    assert record.how_it_ended == "agent hung up"


def test_last_is_the_call_that_began_last_whatever_its_name(tmp_path: Path) -> None:
    booking("zz", started_at="2026-11-22T10:00:00+01:00").write(tmp_path / "calls")
    booking("aa", started_at="2026-11-22T09:30:00+00:00").write(tmp_path / "calls")
    assert calls.find("last", tmp_path).folder.name == "aa"


def test_the_beginning_of_an_id_is_enough_when_only_one_has_it(project: Path) -> None:
    assert calls.find("20261122-11", project).folder.name == LATE
    with pytest.raises(BadInput, match="beginning of 2 calls"):
        calls.find("2026", project)


def test_a_whole_id_wins_over_longer_ones(tmp_path: Path) -> None:
    for call_id in ("call", "call-2"):
        booking(call_id).write(tmp_path / "calls")
    assert calls.find("call", tmp_path).folder.name == "call"


def test_a_wrong_id_is_told_with_what_is_near(project: Path) -> None:
    with pytest.raises(BadInput, match=f"Did you mean '{EARLY}'"):
        calls.find("20261122-101500-aaaa99", project)


def test_a_call_is_found_by_its_folder_too(project: Path) -> None:
    assert calls.find(str(project / "calls" / EARLY), Path("/")).folder.name == EARLY


@pytest.mark.parametrize("content", ["", "\n", "no json\n", '{"half": ', '{"v":1,"t_ms":1,"type":"first_token"}\n'])
def test_a_folder_without_a_readable_beginning_is_no_call(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "calls" / "x"
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text(content)
    with pytest.raises(BadInput, match="not a record of a call"):
        calls.read(folder)


def test_a_missing_record_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="so this is not a call"):
        calls.read(tmp_path)


def test_a_call_of_a_living_process_is_running(tmp_path: Path) -> None:
    folder = RecordedCall(pid=os.getpid()).greets("Hello?").write(tmp_path / "calls")
    assert calls.read(folder).how_it_ended == "running"


def test_a_call_whose_process_is_gone_was_cut_off(tmp_path: Path) -> None:
    folder = RecordedCall(pid=gone()).greets("Hello?").write(tmp_path / "calls")
    assert calls.read(folder).how_it_ended == "cut off (process died)"


def test_a_log_that_no_longer_grows_is_cut_off_whoever_has_its_process_id_now(tmp_path: Path) -> None:
    folder = RecordedCall(pid=os.getpid()).greets("Hello?").write(tmp_path / "calls")
    long_ago = time.time() - calls.QUIET_S - 60
    os.utime(folder / "events.jsonl", (long_ago, long_ago))
    assert calls.read(folder).state == "cut off"


def test_a_damaged_call_takes_its_place_in_time_by_its_file(project: Path) -> None:
    (project / "calls" / LATE / "events.jsonl").write_text("damaged\n")
    assert [folder.name for folder in calls.newest_first(project / "calls")] == [LATE, EARLY]


def test_the_project_is_found_from_inside_and_from_just_outside(project: Path, tmp_path: Path) -> None:
    inside = project / "agents"
    inside.mkdir()
    (inside / "ava.yaml").touch()
    assert calls.folder_of(inside) == project / "calls"
    for place in (project, project / "calls", project / "calls" / LATE):
        assert calls.folder_of(place) == project / "calls"


def test_a_stray_calls_folder_above_is_no_project(tmp_path: Path) -> None:
    booking().write(tmp_path / "calls")
    booking().write(tmp_path / "work" / "voicebot-demo" / "calls")
    assert calls.folder_of(tmp_path / "work") == tmp_path / "work" / "voicebot-demo" / "calls"


def test_the_one_project_below_stands_for_itself(tmp_path: Path) -> None:
    booking().write(tmp_path / "voicebot-demo" / "calls")
    assert calls.folder_of(tmp_path).parent.name == "voicebot-demo"
    booking().write(tmp_path / "other" / "calls")
    with pytest.raises(BadInput, match="other, voicebot-demo"):
        calls.folder_of(tmp_path)


def test_no_project_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="voicebot demo"):
        calls.folder_of(tmp_path)
    with pytest.raises(BadInput, match="no such folder"):
        calls.folder_of(tmp_path / "nowhere")


def test_a_turn_begins_where_the_caller_began_to_speak(project: Path) -> None:
    record = calls.find(LATE, project)
    assert calls.turn_start_ms(record, 0) == 0
    assert 0 < calls.turn_start_ms(record, 1) < calls.turn_start_ms(record, 3)
    with pytest.raises(BadInput, match=r"no spoken turn 9. Known: 1, 2, 3, 4"):
        calls.turn_start_ms(record, 9)
