"""How a worker leaves: with its last call, at the deadline, or at once."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import cast

import pytest

from voicebot.server.capacity.admission import Admission, Seat
from voicebot.server.capacity.board import Board
from voicebot.server.desk import STOPS
from voicebot.server.processes.crew import AT_ONCE, FINISH
from voicebot.server.processes.serving import Leave, finish
from voicebot.server.settings import Settings
from voicebot.server.site import Site


class Talk:
    """A call, as far as leaving goes."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.told = ""

    def end(self, detail: str) -> None:
        self.told = detail
        self.seat.leave()


class Desk:
    def __init__(self) -> None:
        self.live: dict[str, Talk] = {}
        self.waited_s: list[float] = []

    async def drain(self, within_s: float) -> int:
        self.waited_s.append(within_s)
        await asyncio.sleep(0.05)
        return 0


class Worker:
    """As much of a `Site` as `finish` needs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        board = Board.alone()
        self.row = board.row(0)
        self.admission = Admission(board, self.row, 5)
        self.desk = Desk()

    def call(self) -> Talk:
        talk = Talk(self.admission.take())
        self.desk.live[str(len(self.desk.live))] = talk
        return talk


@pytest.fixture
def worker(tmp_path: object) -> Worker:
    return Worker(Settings.model_validate({"project": tmp_path, "drain_s": 60}))


async def finishing(worker: Worker, leave: Leave) -> None:
    await asyncio.wait_for(finish(cast(Site, worker), leave), 5)


async def test_a_worker_without_calls_goes_at_once(worker: Worker) -> None:
    await finishing(worker, Leave())
    assert worker.admission.draining


async def test_a_call_that_has_a_seat_and_is_not_at_the_desk_yet_is_waited_for(worker: Worker) -> None:
    seat = worker.admission.take()
    left = asyncio.create_task(finishing(worker, Leave()))
    await asyncio.sleep(0.3)
    assert not left.done()
    seat.leave()
    await left


async def test_told_to_go_now_it_ends_its_calls(worker: Worker) -> None:
    talk, leave = worker.call(), Leave()
    left = asyncio.create_task(finishing(worker, leave))
    await asyncio.sleep(0.1)
    assert not talk.told
    leave.now()
    await left
    assert talk.told == STOPS


async def test_the_signals_of_the_supervisor(worker: Worker) -> None:
    leave = Leave()
    leave.on_signals()
    try:
        for number, at_once in ((FINISH, False), (FINISH, False), (AT_ONCE, True)):
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.02)
            assert leave.told.is_set()
            assert leave.at_once.is_set() == at_once, "systemd may send SIGTERM besides the supervisor"
    finally:
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(AT_ONCE)
