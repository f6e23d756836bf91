"""Whether one more call may come."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.doubles.eventually import eventually
from voicebot.server.capacity import limit
from voicebot.server.capacity.admission import RESERVE_BYTES, Admission, Refused
from voicebot.server.capacity.board import Board
from voicebot.server.capacity.strain import LoopLag, memory_left_bytes
from voicebot.server.settings import Settings


def admission(seats: int = 2, board: Board | None = None, place: int = 0, left: int = 2**40) -> Admission:
    board = board or Board.alone()
    made = Admission(board, board.row(place), seats, memory_left=lambda: left)
    board.row(place).ready = True
    return made


def test_the_call_beyond_the_limit_is_refused_until_a_seat_is_free() -> None:
    room = admission(2)
    first, second = room.take(), room.take()
    with pytest.raises(Refused, match="busy") as refused:
        room.take()
    assert (refused.value.why, refused.value.retry_after_s > 0) == ("full", True)
    first.leave()
    first.leave()  # twice is once
    room.take()
    with pytest.raises(Refused):
        room.take()
    second.leave()


def test_a_seat_is_free_again_when_its_call_breaks() -> None:
    room = admission(1)
    with pytest.raises(ZeroDivisionError), room.take():
        _ = 1 / 0
    assert room.refusal() is None


def test_a_draining_worker_takes_none_and_says_so() -> None:
    room = admission()
    room.draining = True
    with pytest.raises(Refused) as refused:
        room.take()
    assert refused.value.why == "draining"


def test_the_server_has_room_while_one_worker_has() -> None:
    board = Board.alone(places=2)
    one, two = admission(1, board, 0), admission(1, board, 1)
    with one.take():
        assert one.refusal() is None, "the other worker has a seat"
        with two.take():
            assert isinstance(full := one.refusal(), Refused)
            assert full.why == "full"
        two.draining = True
        assert one.refusal() is not None


async def measured(room: Admission, *, until_refused: bool, within_s: float = 8.0) -> Refused | None:
    await eventually(lambda: (room.refusal() is not None) == until_refused, within_s)
    return room.refusal()


async def test_an_event_loop_that_is_late_again_and_again_takes_no_call() -> None:
    room = admission()
    room.start()
    busy = asyncio.create_task(_hold_up_the_loop())
    refused = await measured(room, until_refused=True)
    assert refused is not None
    assert refused.why == "lagging"
    busy.cancel()
    await room.stop()


def test_it_takes_calls_again_when_it_is_well_on_time() -> None:
    room = admission()
    for lag_ms, refuses in ((49, False), (51, True), (49, True), (26, True), (24, False), (49, False)):
        room._look(lag_ms)
        assert (room.refusal() is not None) == refuses, lag_ms


async def _hold_up_the_loop() -> None:
    while True:
        time.sleep(0.25)  # noqa: ASYNC251 - what this test is about; the loop is looked at every 0.1 s
        await asyncio.sleep(0)


async def test_one_stall_is_not_yet_a_late_loop() -> None:
    lag = LoopLag()
    lag.start()
    await asyncio.sleep(0.15)
    time.sleep(0.3)  # noqa: ASYNC251 - what this test is about
    await asyncio.sleep(0.15)
    assert lag.p95_ms < 50
    lag.stop()


async def test_a_loop_whose_clock_is_coarse_is_never_early() -> None:
    told: list[float] = []
    lag = LoopLag(told.append)
    lag._look(asyncio.get_running_loop().time() + 0.001)
    lag.stop()
    assert told == [0.0]


async def test_with_little_memory_left_there_are_no_new_calls() -> None:
    room = admission(left=RESERVE_BYTES - 1)
    room.start()
    refused = await measured(room, until_refused=True)
    assert refused is not None
    assert refused.why == "memory"
    await room.stop()


def test_memory_is_what_the_container_or_the_machine_has_left(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  9000 kB\nMemAvailable:    3000 kB\n")
    assert memory_left_bytes(tmp_path, meminfo) == 3000 * 1024, "no container"
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_left_bytes(tmp_path, meminfo) == 3000 * 1024, "a container without a limit"
    (tmp_path / "memory.max").write_text("1000000\n")
    assert memory_left_bytes(tmp_path, meminfo) == 200_000
    assert memory_left_bytes(tmp_path / "none", tmp_path / "none") is None, "not Linux"


@pytest.fixture
def no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(limit, "calibration_file", lambda: tmp_path / "data" / "calls.json")
    return tmp_path / "data" / "calls.json"


def test_the_limit_is_as_told_or_measured_or_cautious(no_measurement: Path, tmp_path: Path) -> None:
    told, untold = Settings(project=tmp_path, calls=7), Settings(project=tmp_path)
    assert limit.limit_of(untold).calls == limit.DEFAULT
    assert limit.calibrate(40) == no_measurement
    assert limit.limit_of(untold).calls == 40
    assert limit.limit_of(told).calls == 7


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"calls": "many"}', "was {not} JSON"])
def test_a_measurement_that_cannot_be_read_is_none(no_measurement: Path, damage: str) -> None:
    limit.calibrate(40)
    no_measurement.write_text(damage)
    assert limit.calibrated() is None


def test_a_measurement_does_not_hold_for_another_machine(no_measurement: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit.calibrate(40)
    monkeypatch.setattr(limit, "machine", lambda: {"processor": "another", "cores": 96, "voicebot": "0"})
    assert limit.calibrated() is None
