"""Watching a running call: nothing is missed from the first event on, and nobody who watches holds the call up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from voicebot.events import CallerSilent
from voicebot.server.watching import TooSlow, Watching, read


def silent(number: int) -> CallerSilent:
    return CallerSilent(t_ms=number, times=number)


async def numbers(watching: Watching, after: int = 0) -> list[int]:
    return [told.number async for told in watching.watch(after)]


async def test_whoever_comes_late_sees_the_events_from_the_first_one_on():
    watching = Watching(None)
    watching.tell(silent(1))
    watching.tell(silent(2))
    seen = asyncio.create_task(numbers(watching))
    await asyncio.sleep(0)
    watching.tell(silent(3))
    watching.over()
    assert await seen == [1, 2, 3]


async def test_after_the_end_there_is_all_that_was():
    watching = Watching(None)
    watching.tell(silent(1))
    watching.over()
    assert await numbers(watching) == [1]


async def test_a_watcher_goes_on_where_it_left_off():
    watching = Watching(None)
    for number in range(1, 6):
        watching.tell(silent(number))
    watching.over()
    assert await numbers(watching, after=3) == [4, 5]


async def test_what_is_no_longer_in_memory_comes_from_the_record(tmp_path: Path):
    watching = Watching(tmp_path)
    with (tmp_path / "events.jsonl").open("w") as record:
        for number in range(1, 1001):
            watching.tell(silent(number))
            record.write(silent(number).model_dump_json() + "\n")
    watching.over()
    told = [told async for told in watching.watch(after=10)]
    assert [each.number for each in told] == list(range(11, 1001))
    assert all(f'"times":{each.number}' in each.line and each.type == "caller_silent" for each in told)


async def test_a_watcher_that_does_not_keep_up_is_told_so():
    watching = Watching(None)
    watch = watching.watch()
    watching.tell(silent(1))
    assert (await anext(watch)).number == 1
    for number in range(2, 5000):
        watching.tell(silent(number))
    watching.over()
    with pytest.raises(TooSlow):
        async for _ in watch:
            pass


async def test_a_watcher_that_leaves_is_forgotten():
    watching = Watching(None)
    watching.tell(silent(1))
    watch = watching.watch()
    await anext(watch)
    await watch.aclose()
    assert not watching._queues


def test_a_line_cut_in_half_is_no_event(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text(silent(1).model_dump_json() + "\n" + silent(2).model_dump_json()[:20])
    assert [told.number for told in read(path)] == [1]
