from __future__ import annotations

import asyncio
import time

import pytest

from voicebot import clock


def test_waiting_takes_no_time_on_the_skip_idle_clock():
    async def three_minutes() -> float:
        start = asyncio.get_running_loop().time()
        await asyncio.sleep(180)
        return asyncio.get_running_loop().time() - start

    began = time.monotonic()
    assert clock.run(three_minutes(), skip_idle=True) == pytest.approx(180, abs=0.5)
    assert time.monotonic() - began < 5


def test_computing_in_an_executor_is_never_skipped():
    async def compute() -> float:
        loop = asyncio.get_running_loop()
        start = loop.time()
        timer = asyncio.create_task(asyncio.sleep(0.15))
        await loop.run_in_executor(None, time.sleep, 0.3)
        assert timer.done()
        return loop.time() - start

    assert clock.run(compute(), skip_idle=True) == pytest.approx(0.3, abs=0.15)


def test_announced_work_runs_at_real_speed_and_idling_after_it_is_skipped():
    async def request() -> tuple[float, float]:
        began = time.monotonic()
        with clock.work():
            await asyncio.sleep(0.2)
        worked = time.monotonic() - began
        await asyncio.sleep(60)
        return worked, time.monotonic() - began

    worked, total = clock.run(request(), skip_idle=True)
    assert worked >= 0.19
    assert total < 5


def test_timers_fire_in_order_when_time_is_skipped():
    async def order() -> list[int]:
        fired: list[int] = []
        loop = asyncio.get_running_loop()
        for delay in (3, 1, 2):
            loop.call_later(delay, fired.append, delay)
        await asyncio.sleep(4)
        return fired

    assert clock.run(order(), skip_idle=True) == [1, 2, 3]


def test_a_socket_is_read_before_time_is_skipped():
    async def talk() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(2))
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"hi")
        async with asyncio.timeout(30):
            with clock.work():
                said = await reader.readexactly(2)
        writer.close()
        server.close()
        return said

    assert clock.run(talk(), skip_idle=True) == b"hi"


def test_the_clock_says_its_name():
    async def ask() -> str:
        return clock.name()

    assert clock.run(ask(), skip_idle=True) == "skip-idle"
    assert clock.run(ask()) == "real"
