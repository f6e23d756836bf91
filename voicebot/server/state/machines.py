"""The registry of several machines, in Redis:

    voicebot:call:<id>    "<worker> <machine>", for TTL_S at a time
    voicebot:calls        the ids, by when they were last written: an index of the above, for listing

One task a worker writes; a machine that dies writes no more, and its entries expire. While Redis is away, calls go on
as before and the state is asked instead, which knows all but that a whole machine has died.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from loguru import logger

from voicebot.errors import BadInput, MissingExtra, Unavailable

from .opening import State
from .registry import OneMachine, Place

try:
    import redis.asyncio as redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import AuthenticationError, RedisError
except ModuleNotFoundError:
    raise MissingExtra("Redis's client", "server") from None

if TYPE_CHECKING:
    from collections.abc import Iterable

TTL_S = 15
BEAT_S = 5.0
"""How often each entry is written again."""
ANSWER_S = 0.5
"""How long someone who asks waits for Redis, before the state is asked."""
WRITE_S = 1.0
CONNECTIONS = 16
FORGOTTEN_S = 3600.0
"""Age of index entries that nobody has written again; by their keys they are gone long before."""
_CALL = "voicebot:call:"
_INDEX = "voicebot:calls"
_AWAY = (RedisError, OSError, TimeoutError)


class Machines:
    """One worker's view. `put` and `drop` only tell its task, so that a call never waits for Redis."""

    def __init__(self, client: redis.Redis, shown: str, place: Place, state: State) -> None:
        self._client = client
        self._shown = shown
        self._place = place
        self._state = OneMachine(state)
        self._own: set[str] = set()
        self._new: set[str] = set()
        self._gone: set[str] = set()
        self._news = asyncio.Event()
        self._away = False
        self._task = asyncio.create_task(self._beat(), name="registry")

    @classmethod
    async def open(cls, url: str, place: Place, state: State) -> Machines:
        client, shown = _client(url)
        try:
            async with asyncio.timeout(WRITE_S):
                await client.ping()
        except TypeError:  # an option that no connection has
            raise _unreadable() from None
        except _AWAY as error:
            if isinstance(error.__cause__ or error, AuthenticationError):
                await client.aclose()
                raise Unavailable(f"{shown} does not accept the password in its URL.") from None
            # the first beat says that it is away: calls can be taken without it
        return cls(client, shown, place, state)

    def put(self, id: str) -> None:
        self._own.add(id)
        self._new.add(id)
        self._gone.discard(id)
        self._news.set()

    def drop(self, id: str) -> None:
        self._own.discard(id)
        self._new.discard(id)
        self._gone.add(id)
        self._news.set()

    async def where(self, id: str) -> Place | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                return _place(await self._client.get(_CALL + id))
        except _AWAY:
            return await self._state.where(id)

    async def live(self) -> list[tuple[str, Place]]:
        try:
            async with asyncio.timeout(WRITE_S):
                ids = [str(id) for id in await self._client.zrange(_INDEX, 0, -1)]
                values = await self._client.mget([_CALL + id for id in ids]) if ids else []
        except _AWAY:
            return await self._state.live()
        places = zip(ids, map(_place, values), strict=True)
        return [(id, place) for id, place in places if place]

    async def close(self) -> None:
        """What this worker wrote is taken out, when Redis is there."""
        self._task.cancel()
        await asyncio.wait({self._task})
        with contextlib.suppress(*_AWAY):
            await self._write((), self._own | self._gone)
        await self._client.aclose()

    async def _beat(self) -> None:
        """New calls at once, all of them every BEAT_S; after a failure all of them a second later."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            everything = loop.time() >= due_s
            ids, gone = set(self._own if everything else self._new), set(self._gone)
            try:
                await self._write(ids, gone)
            except _AWAY as error:
                self._say_away(error)
                due_s = loop.time()
                await asyncio.sleep(WRITE_S)
                continue
            self._say_back()
            self._new -= ids
            self._gone -= gone
            if everything:
                due_s = loop.time() + BEAT_S
            if not self._new and not self._gone:
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), max(0.0, due_s - loop.time()))

    async def _write(self, ids: Iterable[str], gone: Iterable[str]) -> None:
        written = time.time()
        value = f"{self._place.worker} {self._place.machine}"
        async with asyncio.timeout(WRITE_S):
            pipe: Any = self._client.pipeline(transaction=False)
            for id in ids:
                pipe.set(_CALL + id, value, ex=TTL_S)
                pipe.zadd(_INDEX, {id: written})
            for id in gone:
                pipe.delete(_CALL + id)
                pipe.zrem(_INDEX, id)
            pipe.zremrangebyscore(_INDEX, "-inf", written - FORGOTTEN_S)
            await pipe.execute()

    def _say_away(self, error: BaseException) -> None:
        self._gone.clear()  # they expire by themselves
        if not self._away:
            self._away = True
            why = str(error) or type(error).__name__
            logger.warning(
                f"{self._shown} does not answer ({why}). Calls go on; the database is asked for their places."
            )

    def _say_back(self) -> None:
        if self._away:
            self._away = False
            logger.info(f"{self._shown} is back")


def _client(url: str) -> tuple[redis.Redis, str]:
    """And how it may be shown: without the password."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise _unreadable()
    shown = f"Redis at {parts.path if parts.scheme == 'unix' else parts.netloc.rpartition('@')[2]}"
    try:
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            max_connections=CONNECTIONS,
            socket_timeout=WRITE_S,
            socket_connect_timeout=WRITE_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise _unreadable() from None
    return client, shown


def _unreadable() -> BadInput:
    return BadInput("the URL of Redis cannot be read. Write it as redis://:password@redis.example.com:6379/0.")


def _place(value: Any) -> Place | None:
    """Of an entry; None when there is none, or it is not ours."""
    worker, _, machine = str(value or "").partition(" ")
    return Place(machine, int(worker)) if worker.isdigit() and machine else None
