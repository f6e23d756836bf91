from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime

import pytest

from voicebot import clock
from voicebot.personas.wallclock import pretend

MONDAY = datetime(2027, 3, 1, 9, 30)


def test_everybody_believes_what_the_wall_clock_pretends() -> None:
    async def look() -> tuple[date, datetime, str]:
        with pretend(MONDAY):
            return date.today(), datetime.now(), time.strftime("%A %H:%M")

    for skip_idle in (True, False):
        today, now, shown = clock.run(look(), skip_idle=skip_idle)
        assert today == MONDAY.date()
        assert (now - MONDAY).total_seconds() == pytest.approx(0, abs=1)
        assert shown == "Monday 09:30"


def test_it_goes_on_with_the_call_and_not_with_the_computing() -> None:
    async def wait() -> list[datetime]:
        seen = []
        with pretend(MONDAY):
            for _ in range(2):
                time.sleep(0.01)  # noqa: ASYNC251 - it stands for computing
                seen.append(datetime.now())
                await asyncio.sleep(3600)
            return [*seen, datetime.now()]

    seen = clock.run(wait(), skip_idle=True)
    assert [moment.isoformat() for moment in seen] == [
        "2027-03-01T09:30:00",
        "2027-03-01T10:30:00",
        "2027-03-01T11:30:00",
    ]


def test_a_time_of_another_zone_is_that_moment() -> None:
    async def look() -> float:
        with pretend(datetime(2027, 3, 1, 9, 30, tzinfo=UTC)):
            return time.time()

    assert clock.run(look(), skip_idle=True) == datetime(2027, 3, 1, 9, 30, tzinfo=UTC).timestamp()


def test_the_clocks_of_call_and_machine_are_not_disturbed() -> None:
    async def look() -> tuple[float, float]:
        began_s, loop_s = time.monotonic(), asyncio.get_running_loop().time()
        with pretend(MONDAY):
            return time.monotonic() - began_s, asyncio.get_running_loop().time() - loop_s

    for skip_idle in (True, False):
        assert max(clock.run(look(), skip_idle=skip_idle)) < 1


def test_afterwards_it_is_the_real_time_again_and_none_changes_nothing() -> None:
    async def look() -> tuple[float, float]:
        with pytest.raises(ZeroDivisionError), pretend(MONDAY):
            raise ZeroDivisionError
        after_s = time.time()
        with pretend(None):
            return after_s, time.time()

    real_s = time.time()
    assert max(abs(seen_s - real_s) for seen_s in clock.run(look(), skip_idle=True)) < 60
