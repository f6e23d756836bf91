"""Two servers with one database behind a real HAProxy: one stops under live calls, then the other one is killed."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.doubles import haproxy
from tests.doubles.eventually import eventually
from tests.doubles.held_call import PARTS, Held, dial
from tests.doubles.project import project
from tests.doubles.serve_process import Server, serving
from voicebot.server.settings import Settings
from voicebot.server.state import State, default_url

CALLS = 8
STOP_S = 20.0


@dataclass
class Pair:
    url: str
    one: Server
    two: Server
    secret: str


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    if haproxy.program() is None:
        pytest.skip("needs haproxy: apt-get install haproxy")
    roots: list[Path] = [tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")]
    for root in roots:
        project(root, {"llm": ["openai/double"], "prompt": "You are Ava."}, voice={"turns": {"idle": "10m"}})
    database = default_url(Settings(project=roots[0]))
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        starting = [serving(root, "--database", database, parts=PARTS) for root in roots]
        one, two = pool.map(stack.enter_context, starting)
        url = stack.enter_context(haproxy.proxied(roots[0], one.port, two.port))
        yield Pair(url, one, two, one.create_keys(["calls:stream"])[0])


async def live_by_machine(pair: Pair) -> Counter[str]:
    async with await State.open(default_url(Settings(project=pair.one.project))) as kept:
        return Counter(row.machine for row in (await kept.calls.list(state="live")).rows)


async def test_a_server_stops_and_new_calls_go_to_the_other_one(pair: Pair) -> None:
    calls = await asyncio.gather(*(dial(pair.url, "ava", pair.secret) for _ in range(CALLS)))
    await asyncio.gather(*(call.speaks() for call in calls))
    spread = await live_by_machine(pair)
    assert sorted(spread.values()) == [CALLS / 2, CALLS / 2]
    pair.one.process.send_signal(signal.SIGTERM)
    later = [await _at_once(pair) for _ in range(6)]
    assert all(call.live for call in calls)
    assert (await live_by_machine(pair)).total() == CALLS + len(later)
    assert max((await live_by_machine(pair)).values()) == CALLS / 2 + len(later), "all of them at the one that stays"
    await asyncio.gather(*(call.hang_up() for call in [*calls, *later]))
    assert Counter((call.bye, call.code) for call in [*calls, *later]) == {(True, 1000): CALLS + len(later)}
    await eventually(lambda: pair.one.process.poll() is not None, STOP_S)
    assert pair.one.process.returncode == 0


async def _at_once(pair: Pair) -> Held:
    """From the very moment of the signal on, before the proxy has looked."""
    call = await dial(pair.url, "ava", pair.secret)
    await call.speaks()
    return call


async def test_workers_go_when_their_supervisor_is_killed(pair: Pair) -> None:
    workers = pair.two.workers
    call = await dial(pair.two.url, "ava", pair.secret)
    await call.speaks()
    pair.two.process.kill()
    await call.over()
    _, alive = await asyncio.to_thread(psutil.wait_procs, workers, STOP_S)
    assert alive == []
    assert (await live_by_machine(pair)).total() == 0, "its call has an end in the state"
