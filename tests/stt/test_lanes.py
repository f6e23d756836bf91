from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from voicebot.stt.lanes import Lanes


def busy(lanes: Lanes) -> threading.Event:
    """Keeps the worker at something until the event is set."""
    go, begun = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go.wait(10)

    lanes.patient.submit(wait)
    assert begun.wait(10)
    return go


def test_urgent_work_goes_first_and_each_lane_keeps_its_order() -> None:
    lanes, done = Lanes("test"), list[str]()
    go = busy(lanes)
    work: list[Future[None]] = [lanes.patient.submit(done.append, "a"), lanes.patient.submit(done.append, "b")]
    work += [lanes.urgent.submit(done.append, "c"), lanes.urgent.submit(done.append, "d")]
    go.set()
    for each in work:
        each.result(10)
    assert done == ["c", "d", "a", "b"]


def test_cancelled_work_is_not_done() -> None:
    lanes, done = Lanes("test"), list[str]()
    go = busy(lanes)
    unwanted, wanted = lanes.patient.submit(done.append, "a"), lanes.patient.submit(done.append, "b")
    assert unwanted.cancel()
    go.set()
    wanted.result(10)
    assert done == ["b"]


def test_a_failure_belongs_to_whoever_asked() -> None:
    lanes = Lanes("test")
    with pytest.raises(ZeroDivisionError):
        lanes.urgent.submit(lambda: 1 / 0).result(10)
    assert lanes.urgent.submit(lambda: 1).result(10) == 1
