"""/metrics of a real server of two workers: right in sum whichever of them is asked, also when one of them dies."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.doubles.keyed_call import a_call
from tests.doubles.project import project
from tests.doubles.serve_process import Server, serving
from voicebot.server.state import SCOPES

MOST_CALLS = 15
"""One after the other until both workers have one."""
COUNTING = ("_total", "_count", "_sum", "_bucket")
Figures = dict[tuple[str, ...], float]
"""(name, label values in the order of the labels' names) -> value."""


def test_figures_of_all_workers_add_up_and_never_go_down(tmp_path: Path) -> None:
    patient = {"turns": {"idle": "10m"}}
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."}, voice=patient)
    with serving(tmp_path, "--workers", "2", "--calls", "30") as server:
        [secret] = server.create_keys(SCOPES)
        asyncio.run(look(server, secret))


async def look(server: Server, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as http:
        await both_are_ready(http)
        async with AsyncExitStack() as calls:
            pids = [await a_call(http, calls) for _ in range(2)]
            while len(set(pids)) < 2:  # on a busy machine one worker may take none for a moment
                assert len(pids) < MOST_CALLS
                await asyncio.sleep(1)
                pids.append(await a_call(http, calls))
        before = await they_add_up(http)
        async with AsyncExitStack() as call:
            victim = await a_call(http, call)
            await nothing_goes_down(http, server, victim, before)
        async with AsyncExitStack() as call:
            await a_call(http, call)
        await they_add_up(http)


async def both_are_ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(90):
        while (await figures(http))["workers_ready",] < 2:  # noqa: ASYNC110 - as Prometheus would
            await asyncio.sleep(0.2)


async def they_add_up(http: httpx.AsyncClient) -> Figures:
    """What every call counts by itself comes to what the workers' board says, and every worker says the same."""
    async with asyncio.timeout(30):
        while True:
            found = await figures(http)
            ended = sum(value for name, value in found.items() if name[0] == "calls_ended_total")
            if ended == found["calls_started_total",] and found["calls_active",] == 0:
                break
            await asyncio.sleep(0.1)
    lost = found["calls_ended_total", "lost"]
    assert found["call_duration_seconds_count", "ava"] == ended - lost
    assert found["turns_total", "ava", "answered"] == ended - lost  # each caller has pressed one key
    assert found["stage_seconds_count", "websocket", "playback"] == ended - lost
    assert found["v2v_seconds_bucket", "ava", "+Inf"] == found["v2v_seconds_count", "ava"] == ended - lost
    assert found["loop_lag_seconds_count",] > 0
    same = [name for name in found if name[0].startswith(("call", "turns", "v2v", "stage"))]
    for _ in range(4):  # each request goes to whichever worker has most room
        again = await figures(http)
        assert {name: again[name] for name in same} == {name: found[name] for name in same}
    return found


async def nothing_goes_down(http: httpx.AsyncClient, server: Server, victim: int, before: Figures) -> None:
    next(worker for worker in server.workers if worker.pid == victim).send_signal(signal.SIGKILL)
    async with asyncio.timeout(90):
        while True:
            with suppress(httpx.TransportError):  # it may have been the one that was asked
                now = await figures(http)
                fallen = {name: (value, now.get(name, 0)) for name, value in before.items() if counts(name, now, value)}
                assert not fallen
                before = now
                if now["workers_ready",] == 2 and now["calls_ended_total", "lost"] == 1:
                    return
            await asyncio.sleep(0.2)


def counts(name: tuple[str, ...], now: Figures, before: float) -> bool:
    return name[0].endswith(COUNTING) and now.get(name, 0) < before


async def figures(http: httpx.AsyncClient) -> Figures:
    answer = await http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name.removeprefix("voicebot_"), *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
