"""The registry of several machines, in a real Redis: what dies with a machine vanishes, and Redis may die, too."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from tests.doubles import databases
from tests.doubles.eventually import eventually
from tests.doubles.redis_server import RedisServer
from voicebot.errors import BadInput, Unavailable
from voicebot.server.settings import Settings
from voicebot.server.state import CallRow, Place, State, machines, migrate, registry
from voicebot.server.state.registry import Registry

HERE, THERE = "http://10.0.0.5:8080", "http://10.0.0.6:8080"


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[State]:
    url = databases.empty("sqlite", tmp_path)
    migrate(url)
    async with await State.open(url) as state:
        yield state


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """And hearts that beat faster than in production."""
    monkeypatch.setattr(machines, "TTL_S", 2)
    monkeypatch.setattr(machines, "BEAT_S", 0.9)
    monkeypatch.setattr(machines, "WRITE_S", 0.3)
    monkeypatch.setattr(machines, "ANSWER_S", 0.2)
    running = RedisServer(tmp_path)
    running.start()
    yield running
    running.kill()


def settings(url: str, advertise: str = HERE) -> Settings:
    return Settings(project=Path("/nowhere"), redis=url, advertise=advertise)


async def test_each_machine_knows_the_calls_of_the_other(kept: State, server: RedisServer) -> None:
    one = await registry.open(settings(server.url), kept, worker=2)
    other = await registry.open(settings(server.url, THERE), kept, worker=0)
    one.put("call-1")
    other.put("call-2")
    await eventually(lambda: _knows(other, "call-1"), within_s=0.7)
    await eventually(lambda: _knows(one, "call-2"))
    assert await other.where("call-1") == Place(HERE, 2)
    assert sorted(await one.live()) == [("call-1", Place(HERE, 2)), ("call-2", Place(THERE, 0))]
    one.drop("call-1")
    await eventually(lambda: _forgot(other, "call-1"), within_s=0.7)
    await asyncio.sleep(2.2)  # longer than an entry lives: the heart beats
    assert await other.live() == [("call-2", Place(THERE, 0))]
    await one.close()
    await other.close()
    assert redis.Redis.from_url(server.url).keys() == []


async def test_the_calls_of_a_dead_machine_vanish(kept: State, server: RedisServer) -> None:
    dying = await registry.open(settings(server.url), kept, worker=0)
    other = await registry.open(settings(server.url, THERE), kept, worker=0)
    dying.put("call-1")
    await eventually(lambda: _knows(other, "call-1"))
    assert isinstance(dying, machines.Machines)
    dying._task.cancel()
    await eventually(lambda: _forgot(other, "call-1"), within_s=3)
    assert await other.live() == []
    await other.close()
    await dying.close()


async def test_everything_in_redis_has_our_name_before_it(kept: State, server: RedisServer) -> None:
    one = await registry.open(settings(server.url), kept, worker=0)
    one.put("call-1")
    await eventually(lambda: _knows(one, "call-1"))
    keys = redis.Redis.from_url(server.url, decode_responses=True).keys()
    assert sorted(keys) == ["voicebot:call:call-1", "voicebot:calls"]
    await one.close()


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_redis_that_goes_away_harms_nothing_and_is_said_once(
    kept: State, server: RedisServer, said: list[str], how: str
) -> None:
    await kept.calls.begin(CallRow("call-1", "ava", "websocket", machine=HERE, worker=0))
    one = await registry.open(settings(server.url), kept, worker=0)
    one.put("call-1")
    await eventually(lambda: _knows(one, "call-1"))
    server.kill() if how == "killed" else server.send(signal.SIGSTOP)
    begun = time.perf_counter()
    for number in range(100):
        one.put(f"more-{number}")
        one.drop(f"more-{number}")
    assert time.perf_counter() - begun < 0.05
    begun = time.perf_counter()
    assert await one.where("call-1") == Place(HERE, 0), "the state knows it, too"
    assert time.perf_counter() - begun < 1
    await eventually(lambda: len(said) == 1)
    await asyncio.sleep(1)
    server.start() if how == "killed" else server.send(signal.SIGCONT)
    await eventually(lambda: len(said) == 2)
    assert await one.live() == [("call-1", Place(HERE, 0))]
    assert [line.split()[0] for line in said] == ["WARNING", "INFO"]
    begun = time.perf_counter()
    await one.close()
    assert time.perf_counter() - begun < 0.5


async def test_a_server_starts_and_stops_without_its_redis(kept: State, server: RedisServer, said: list[str]) -> None:
    server.kill()
    one = await registry.open(settings(server.url), kept, worker=0)
    one.put("call-1")
    assert await one.where("call-1") is None
    await eventually(lambda: len(said) == 1)
    await one.close()


async def test_a_wrong_password_is_said_at_once_and_not_shown(kept: State, tmp_path: Path) -> None:
    server = RedisServer(tmp_path, password="secret")
    server.start()
    try:
        with pytest.raises(Unavailable, match="does not accept the password") as refused:
            await registry.open(settings(server.url.replace("secret", "gehe1m")), kept, worker=0)
        assert "gehe1m" not in str(refused.value)
        one = await registry.open(settings(server.url), kept, worker=0)
        await one.close()
    finally:
        server.kill()


@pytest.mark.parametrize(
    "url",
    ["http://:gehe1m@h", "redis", "redis://:gehe1m@h:port/0", "redis://h?socket_timeout=gehe1m", "redis://h?gehe1m=1"],
)
async def test_a_url_that_is_none_is_bad_input(kept: State, url: str) -> None:
    with pytest.raises(BadInput, match="the URL of Redis") as wrong:
        await registry.open(settings(url), kept, worker=0)
    assert "gehe1m" not in str(wrong.value)


async def test_machines_have_to_say_where_they_are_reached(kept: State) -> None:
    with pytest.raises(BadInput, match="--advertise"):
        await registry.open(settings("redis://localhost", advertise=""), kept, worker=0)


async def test_one_machine_needs_no_redis(kept: State) -> None:
    alone = await registry.open(Settings(project=Path("/nowhere")), kept, worker=1)
    alone.put("call-1")
    assert await alone.where("call-1") is None
    for number in range(3):
        await kept.calls.begin(CallRow(f"call-{number}", "ava", "websocket", machine="me", worker=number))
    await kept.calls.ended("call-0", "caller_hung_up", "")
    alone.drop("call-0")
    assert await alone.where("call-0") is None
    assert await alone.where("call-2") == Place("me", 2)
    assert sorted(await alone.live()) == [("call-1", Place("me", 1)), ("call-2", Place("me", 2))]
    await alone.close()


async def _knows(one: Registry, id: str) -> bool:
    return await one.where(id) is not None


async def _forgot(one: Registry, id: str) -> bool:
    return await one.where(id) is None
