"""A place that is kept manned."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import cast

import pytest

from tests.doubles.eventually import eventually
from voicebot.server.capacity.board import Board
from voicebot.server.processes import post as module
from voicebot.server.processes.crew import Report, Worker, how
from voicebot.server.processes.post import DEATHS, Post


class Hired:
    """A worker whose death is a call of `dies`; SIGTERM is one, too."""

    def __init__(self, place: int, *, comes_up: bool = True) -> None:
        self.row = Board.alone(places=9).row(place)
        self.report = Report() if comes_up else None
        self.failed = None
        self._gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if not comes_up:
            self._gone.set_result(1)

    async def ready(self) -> Report | None:
        return self.report

    async def gone(self) -> int:
        return await asyncio.shield(self._gone)

    def dies(self, code: int = -9) -> None:
        self._gone.set_result(code)

    def signal(self, number: signal.Signals) -> None:
        self.dies(0)


class Agency:
    """An `Office`: hires what `comes` makes."""

    def __init__(self, comes: Callable[[int], Hired]) -> None:
        self.stopping = False
        self.hired: list[Hired] = []
        self.buried: list[Hired] = []
        self.given_up = False
        self._comes = comes

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def hire(self) -> Worker:
        self.hired.append(self._comes(len(self.hired)))
        return cast(Worker, self.hired[-1])

    def bury(self, worker: Worker) -> None:
        self.buried.append(cast(Hired, worker))

    def hopeless(self, worker: Worker) -> bool:
        self.given_up = True
        return True


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.001)


async def test_a_dead_worker_is_buried_and_replaced() -> None:
    office = Agency(Hired)
    post = Post(office, await office.hire())
    keeping = asyncio.create_task(post.keep())
    office.hired[0].dies()
    await eventually(lambda: len(office.hired) == 2)
    assert office.buried == [office.hired[0]]
    office.stopping = True
    office.hired[1].dies(0)
    await asyncio.wait_for(keeping, 2)
    assert len(office.hired) == 2


async def test_workers_that_die_before_they_are_ready_are_given_up_after_some() -> None:
    office = Agency(lambda place: Hired(place, comes_up=False))
    post = Post(office, await office.hire())
    await asyncio.wait_for(post.keep(), 2)
    assert office.given_up
    assert len(office.hired) == DEATHS


async def test_a_worker_leaves_when_its_successor_is_ready() -> None:
    office = Agency(Hired)
    post = Post(office, await office.hire())
    keeping = asyncio.create_task(post.keep())
    assert await post.renew()
    assert cast(Hired, post.worker) is office.hired[1]
    assert office.buried == [office.hired[0]]
    await asyncio.sleep(0.02)
    assert len(office.hired) == 2, "nobody else was hired for the one who left"
    keeping.cancel()


async def test_a_worker_stays_when_its_successor_does_not_come_up() -> None:
    office = Agency(lambda place: Hired(place, comes_up=place == 0))
    post = Post(office, await office.hire())
    assert not await post.renew()
    assert cast(Hired, post.worker) is office.hired[0]
    assert office.buried == [office.hired[1]]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "left"),
        (3, "ended with exit code 3"),
        (-9, "was killed by signal 9 (SIGKILL)"),
        (-77, "killed by signal 77"),
    ],
)
def test_an_exit_code_in_words(code: int, words: str) -> None:
    assert words in how(code)
