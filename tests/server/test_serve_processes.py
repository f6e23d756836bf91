"""`voicebot serve` with two workers and real calls: one dies, both are restarted, the server is full, and it stops.

One server for all of these tests; each leaves it as it was, but for the last one.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.doubles.eventually import eventually
from tests.doubles.held_call import PARTS, Held, Refused, dial
from tests.doubles.project import project
from tests.doubles.serve_process import Server, serving
from voicebot.server.settings import Settings
from voicebot.server.state import CallRow, State, default_url
from voicebot.store.calls import newest_first, read

SEATS = 4
"""Of each of the two workers."""
GAP_MS = 150.0
"""No more than this may be missing in what a caller hears; on a machine that does nothing else it is a few."""
RESTART_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root: Path = tmp_path_factory.mktemp("served")
    project(root, {"llm": ["openai/double"], "prompt": "You are Ava."}, voice={"turns": {"idle": "10m"}})
    with serving(root, "--workers", "2", "--calls", str(SEATS), parts=PARTS) as running:
        yield running


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    return server.create_keys(["calls:stream", "server:drain", "metrics:read"])[0]


@pytest.fixture
async def calls(server: Server, secret: str) -> AsyncIterator[list[Held]]:
    """Six that came at once, and speak."""
    made = await asyncio.gather(*(dial(server.url, "ava", secret) for _ in range(6)))
    await asyncio.gather(*(call.speaks() for call in made))
    yield list(made)
    await asyncio.gather(*(call.hang_up() for call in made))
    await eventually(lambda: _all_over(server, secret))


async def _all_over(server: Server, secret: str) -> bool:
    """No call, and no seat that is still taken: those that come next would be spread by it."""
    if server.process.poll() is not None:
        return True
    async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}) as http:
        return "voicebot_calls_active 0.0" in (await http.get("/metrics")).text.splitlines()


async def rows(server: Server) -> list[CallRow]:
    async with await State.open(default_url(Settings(project=server.project))) as kept:
        return list((await kept.calls.list(limit=200)).rows)


async def live_by_worker(server: Server) -> Counter[int]:
    return Counter(row.worker for row in await rows(server) if row.state == "live")


def log(server: Server) -> list[dict[str, object]]:
    lines = server.log.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def said(server: Server, words: str) -> bool:
    return any(words in str(line["message"]) for line in log(server))


async def test_calls_that_come_at_once_are_spread_over_the_workers(server: Server, calls: list[Held]) -> None:
    assert sorted((await live_by_worker(server)).values()) == [3, 3]


async def test_the_call_beyond_the_limit_is_refused_at_once_and_the_others_do_not_notice(
    server: Server, secret: str, calls: list[Held]
) -> None:
    more = [await dial(server.url, "ava", secret) for _ in range(2 * SEATS - len(calls))]
    await asyncio.gather(*(call.speaks() for call in more))
    for call in calls:
        call.gap_ms = 0.0
    with pytest.raises(Refused, match="All lines are busy") as refused:
        await dial(server.url, "ava", secret)
    assert refused.value.status == 503
    assert int(refused.value.headers["Retry-After"]) > 0
    assert refused.value.took_s < 0.1
    await asyncio.sleep(0.5)
    assert max(call.gap_ms for call in calls) < GAP_MS
    await asyncio.gather(*(call.hang_up() for call in more))


async def test_a_killed_worker_takes_its_own_calls_along_and_no_others(
    server: Server, secret: str, calls: list[Held]
) -> None:
    before = {row.id: row.worker for row in await rows(server) if row.state == "live"}
    for call in calls:
        call.gap_ms = 0.0
    workers = server.workers
    workers[0].kill()
    await eventually(lambda: sum(call.live for call in calls) == 3)
    await eventually(lambda: said(server, "is lost"), 20)
    assert sum(call.live for call in calls) == 3
    assert max(call.gap_ms for call in calls if call.live) < GAP_MS
    lost = [row for row in await rows(server) if row.id in before and row.state == "lost"]
    assert len(lost) == 3
    assert len({row.worker for row in lost}) == 1
    for row in lost:
        record = read(server.project / "calls" / row.id)
        assert record.ended is not None
        assert (record.ended.reason, record.ended.detail) == (row.reason, row.detail)
        assert "killed by signal 9" in row.detail
    await eventually(lambda: len(server.workers) == 2, 5)
    await eventually(lambda: _takes_calls_on_both(server, secret), RESTART_S)


async def _takes_calls_on_both(server: Server, secret: str) -> bool:
    """Whether the replacement is ready: with three calls at the one that stayed, new calls go to it."""
    call = await dial(server.url, "ava", secret)
    workers = await live_by_worker(server)
    await call.hang_up()
    return len(workers) == 2


async def test_workers_are_restarted_without_cutting_a_call(server: Server, secret: str, calls: list[Held]) -> None:
    before = {worker.pid for worker in server.workers}
    server.process.send_signal(signal.SIGHUP)
    await eventually(lambda: said(server, "finish, within"), RESTART_S)  # the first has a successor
    await (await dial(server.url, "ava", secret)).hang_up()
    await asyncio.sleep(0.5)
    assert all(call.live for call in calls)
    await asyncio.gather(*(call.hang_up() for call in calls))
    await eventually(lambda: said(server, "all workers are new"), RESTART_S)
    assert [(call.bye, call.code) for call in calls] == [(True, 1000)] * len(calls)
    assert before.isdisjoint(worker.pid for worker in server.workers)


async def test_a_server_that_stops_finishes_its_calls_and_takes_no_others(
    server: Server, secret: str, calls: list[Held]
) -> None:
    for call in calls:
        call.gap_ms = 0.0
    async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}) as http:
        asked = [await http.post("/v1/drain") for _ in range(2)]  # SIGTERM is sent behind HAProxy
    assert [(answer.status_code, answer.json()["calls"]) for answer in asked] == [(202, len(calls))] * 2
    await eventually(lambda: server.status("/readyz") == 503)
    with pytest.raises(Refused, match="about to stop"):
        await dial(server.url, "ava", secret)
    await asyncio.sleep(1)
    assert all(call.live for call in calls)
    assert max(call.gap_ms for call in calls) < GAP_MS
    await asyncio.gather(*(call.hang_up() for call in calls))
    assert [(call.bye, call.code) for call in calls] == [(True, 1000)] * len(calls)
    await eventually(lambda: server.process.poll() is not None, 15)
    assert server.process.returncode == 0


def test_each_call_has_an_end_in_its_record(server: Server) -> None:
    """Of all tests before this one."""
    ends = Counter(read(folder).how_it_ended for folder in newest_first(server.project / "calls"))
    assert ends["lost"] == 3
    assert set(ends) == {"lost", "caller hung up"}
