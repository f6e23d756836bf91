"""The end that is written for a call whose process died."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.recorded_call import RecordedCall
from voicebot.store.calls import EVENTS, read
from voicebot.store.lost import close_lost

WHY = "its worker was killed by signal 9 (SIGKILL)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A call in its middle."""
    call = RecordedCall().greets("Hello.").turn("a cleaning please", "Of course. What day suits you?")
    return call.write(tmp_path)


def test_the_record_says_that_it_is_lost_and_why(folder: Path) -> None:
    before = read(folder)
    assert close_lost(folder, WHY)
    record = read(folder)
    assert record.ended is not None
    assert (record.ended.reason, record.ended.detail, record.state) == ("lost", WHY, "ended")
    assert record.ended.t_ms >= before.duration_ms
    assert record.events[:-1] == before.events


def test_a_line_cut_in_half_costs_no_other_line(folder: Path) -> None:
    file = folder / EVENTS
    file.write_bytes(file.read_bytes()[:-20])
    assert close_lost(folder, WHY)
    record = read(folder)
    assert record.how_it_ended == "lost"
    assert len(record.broken) == 1
    assert not record.cut


def test_the_call_lasted_as_long_as_it_was_heard(folder: Path) -> None:
    heard_ms = (folder / "call.wav").stat().st_size / 4 / 16
    lines = (folder / EVENTS).read_text().splitlines(keepends=True)
    (folder / EVENTS).write_text("".join(lines[:2]))
    close_lost(folder, WHY)
    assert read(folder).duration_ms == pytest.approx(heard_ms, abs=10)


def test_a_call_that_has_an_end_keeps_it(tmp_path: Path) -> None:
    folder = RecordedCall().greets("Hello.").ended().write(tmp_path)
    before = (folder / EVENTS).read_bytes()
    assert not close_lost(folder, WHY)
    assert (folder / EVENTS).read_bytes() == before


def test_a_call_without_a_record_is_no_error(tmp_path: Path) -> None:
    assert not close_lost(tmp_path / "none", WHY)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / EVENTS).write_bytes(b'{"half')
    assert not close_lost(tmp_path / "empty", WHY)
