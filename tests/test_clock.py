from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from voicebot import clock, skip_idle


def test_waiting_takes_no_time_on_the_skip_idle_clock():
    async def three_minutes() -> float:
        start = asyncio.get_running_loop().time()
        await asyncio.sleep(180)
        return asyncio.get_running_loop().time() - start

    began = time.monotonic()
    assert clock.run(three_minutes(), skip_idle=True) == pytest.approx(180, abs=0.5)
    assert time.monotonic() - began < 5


def test_computing_takes_none_of_the_conversations_time_and_all_of_its_own():
    async def compute() -> tuple[float, float, float, bool]:
        loop = asyncio.get_running_loop()
        start_s, measured_s = loop.time(), clock.now_s()
        timer = asyncio.create_task(asyncio.sleep(0.15))
        await loop.run_in_executor(None, time.sleep, 0.3)
        return loop.time() - start_s, clock.now_s() - measured_s, clock.lag_ms(), timer.done()

    passed_s, took_s, lag_ms, timer_done = clock.run(compute(), skip_idle=True)
    assert (passed_s, timer_done) == (0, False)
    assert 0.29 < took_s < 2
    assert 290 < lag_ms < 2000


def test_time_stands_still_in_a_callback_and_its_computing_is_a_lag():
    async def compute() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        clock.catch_up()
        start_s = loop.time()
        time.sleep(0.05)  # noqa: ASYNC251 - it stands for computing
        return loop.time() - start_s, clock.lag_ms()

    passed_s, lag_ms = clock.run(compute(), skip_idle=True)
    assert passed_s == 0
    assert 49 < lag_ms < 1000


def test_idling_makes_up_for_a_lag():
    async def idle_after_computing() -> tuple[float, float]:
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.3)
        behind_ms = clock.lag_ms()
        await asyncio.sleep(0.1)
        made_up_ms = behind_ms - clock.lag_ms()
        await asyncio.sleep(10)
        return made_up_ms, clock.lag_ms()

    made_up_ms, later_ms = clock.run(idle_after_computing(), skip_idle=True)
    assert made_up_ms == pytest.approx(100, abs=20)
    assert later_ms < 20


def test_what_is_computed_at_the_same_time_is_not_added_up():
    async def compute() -> float:
        loop = asyncio.get_running_loop()
        clock.catch_up()
        await asyncio.gather(*(loop.run_in_executor(None, time.sleep, 0.3) for _ in range(2)))
        return clock.lag_ms()

    assert 290 < clock.run(compute(), skip_idle=True) < 580


def test_nothing_lags_on_the_real_clock():
    async def compute() -> tuple[float, float]:
        began_s = clock.now_s()
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.05)
        clock.catch_up()
        return clock.lag_ms(), clock.now_s() - began_s

    lag_ms, took_s = clock.run(compute())
    assert lag_ms == 0
    assert took_s >= 0.049


def test_results_come_in_the_order_of_the_jobs_whichever_is_ready_first():
    async def race() -> list[int]:
        came: list[int] = []
        loop = asyncio.get_running_loop()
        jobs = [loop.run_in_executor(None, time.sleep, seconds) for seconds in (0.1, 0.01, 0.05)]
        for number, job in enumerate(jobs):
            job.add_done_callback(functools.partial(lambda number, _: came.append(number), number))
        await asyncio.gather(*jobs)
        return came

    assert clock.run(race(), skip_idle=True) == [0, 1, 2]


def test_what_a_job_pushes_comes_before_its_result_and_before_younger_jobs():
    async def push() -> list[str]:
        came: list[str] = []
        loop = asyncio.get_running_loop()

        def slow() -> None:
            for word in ("one", "two"):
                time.sleep(0.03)
                loop.call_soon_threadsafe(came.append, word)

        first, second = loop.run_in_executor(None, slow), loop.run_in_executor(None, lambda: None)
        first.add_done_callback(lambda _: came.append("done"))
        second.add_done_callback(lambda _: came.append("next"))
        await asyncio.gather(first, second)
        return came

    assert clock.run(push(), skip_idle=True) == ["one", "two", "done", "next"]


def test_a_push_is_taken_in_before_the_job_is_done():
    async def stream() -> float:
        loop = asyncio.get_running_loop()
        first = loop.create_future()

        def job() -> None:
            loop.call_soon_threadsafe(first.set_result, None)
            time.sleep(0.3)

        clock.catch_up()
        ending = loop.run_in_executor(None, job)
        await first
        lag_ms = clock.lag_ms()
        await ending
        return lag_ms

    assert clock.run(stream(), skip_idle=True) < 250


def test_a_thread_pushes_only_when_everything_else_has_run():
    async def interleave() -> list[object]:
        came: list[object] = []
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(came.append, "thread"))
        thread.start()
        thread.join()
        for step in range(20):
            await asyncio.sleep(0)
            came.append(step)
        await loop.run_in_executor(None, time.sleep, 0.02)
        came.append("computed")
        await asyncio.sleep(1)
        return came

    assert clock.run(interleave(), skip_idle=True) == [*range(20), "computed", "thread"]


def test_a_fast_tool_takes_none_of_the_conversations_time():
    async def use() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        clock.catch_up()
        start_s, came = loop.time(), loop.create_future()
        thread = threading.Timer(0.05, lambda: loop.call_soon_threadsafe(came.set_result, None))
        with clock.work():
            thread.start()
            await came
        return loop.time() - start_s, clock.lag_ms()

    passed_s, lag_ms = clock.run(use(), skip_idle=True)
    assert passed_s == 0
    assert 49 < lag_ms < 500


def test_a_slow_tool_takes_as_long_as_in_real_time_and_timers_fire_meanwhile():
    async def use() -> tuple[float, float, list[float]]:
        loop = asyncio.get_running_loop()
        clock.catch_up()
        start_s, came, fired = loop.time(), loop.create_future(), []
        for after_s in (0.1, 0.7):
            loop.call_later(after_s, lambda: fired.append(round(loop.time() - start_s, 6)))
        thread = threading.Timer(0.9, lambda: loop.call_soon_threadsafe(came.set_result, None))
        with clock.work():
            thread.start()
            await came
        return loop.time() - start_s, clock.lag_ms(), fired

    passed_s, lag_ms, fired = clock.run(use(), skip_idle=True)
    assert 0.89 < passed_s < 2
    assert lag_ms < 200
    assert fired == [0.1, 0.7]


class Threads(clock.Outside):
    """A thread for each job."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        threading.Thread(target=lambda: future.set_result(fn(*args, **kwargs)), daemon=True).start()
        return future


def test_a_job_from_outside_may_wait_for_a_network_and_is_no_computing():
    async def use() -> tuple[float, list[float]]:
        loop, fired = asyncio.get_running_loop(), []
        start_s = loop.time()
        loop.call_later(0.6, lambda: fired.append(round(loop.time() - start_s, 6)))
        await loop.run_in_executor(Threads(), time.sleep, 0.8)
        return loop.time() - start_s, fired

    passed_s, fired = clock.run(use(), skip_idle=True)
    assert 0.79 < passed_s < 2
    assert fired == [0.6]


def test_a_thread_of_a_library_is_a_part_of_the_work_in_which_it_is_used():
    async def use() -> float:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        with clock.work():
            await asyncio.to_thread(time.sleep, 0.8)
        return loop.time() - start_s

    assert 0.79 < clock.run(use(), skip_idle=True) < 2


def test_a_provider_that_never_answers_runs_into_its_timeout():
    async def ask() -> float:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        with pytest.raises(TimeoutError), clock.work():
            await asyncio.wait_for(loop.create_future(), 0.7)
        return loop.time() - start_s

    assert clock.run(ask(), skip_idle=True) == pytest.approx(0.7, abs=0.01)


def test_a_hung_job_does_not_stop_time_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(skip_idle, "PATIENCE_S", 0.2)
    hung = threading.Event()

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.run_in_executor(None, hung.wait, 20), 0.5)
        hung.set()
        return time.monotonic() - began

    assert 0.49 < clock.run(ask(), skip_idle=True) < 5


def test_a_job_that_needs_what_comes_of_a_later_one_gets_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(skip_idle, "PATIENCE_S", 0.1)
    second_is_done = threading.Event()

    async def depend() -> bool:
        loop = asyncio.get_running_loop()
        first = loop.run_in_executor(None, second_is_done.wait, 20)
        second = loop.run_in_executor(None, lambda: None)
        second.add_done_callback(lambda _: second_is_done.set())
        return await first

    assert clock.run(depend(), skip_idle=True)


def test_a_job_that_nobody_wants_any_more_holds_nobody_up():
    unwanted = threading.Event()

    async def give_up() -> float:
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        job = loop.run_in_executor(None, unwanted.wait, 20)
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.sleep(60)
        unwanted.set()
        return time.monotonic() - began

    assert clock.run(give_up(), skip_idle=True) < 1


def test_what_a_job_raises_is_raised_where_it_is_waited_for():
    async def fail() -> None:
        await asyncio.get_running_loop().run_in_executor(None, lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        clock.run(fail(), skip_idle=True)


def test_waiting_by_turning_round_comes_to_its_end():
    async def spin() -> None:
        loop = asyncio.get_running_loop()
        job = loop.run_in_executor(None, time.sleep, 0.01)
        while not job.done():  # noqa: ASYNC110 - this is how some libraries wait
            await asyncio.sleep(0)
        until_s = loop.time() + 0.01
        while loop.time() < until_s:  # noqa: ASYNC110 - so does this
            await asyncio.sleep(0)

    clock.run(spin(), skip_idle=True)


def test_a_difference_of_two_times_is_the_same_wherever_the_clock_stands():
    async def differences(after_s: float) -> list[float]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(after_s)
        began_s, steps = loop.time(), []
        for tick in range(1, 50):
            await asyncio.sleep(began_s + tick * 0.02 - loop.time())
            steps.append(loop.time() - began_s)
        return steps

    here, there = (clock.run(differences(after_s), skip_idle=True) for after_s in (0.1234567, 98765.4321))
    assert here == there


def test_control_c_ends_a_wait_for_computing():
    code = (
        "import asyncio, os, signal, threading, time\n"
        "from voicebot import clock\n"
        "async def main():\n"
        "    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "    await asyncio.get_running_loop().run_in_executor(None, time.sleep, 1)\n"
        "began = time.monotonic()\n"
        "try:\n"
        "    clock.run(main(), skip_idle=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "interrupted", done.stderr


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
