"""Other processes that use the same state at the same moment, without the wait for each to import what it needs."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from typing import Any

from voicebot.server.state import State, migrate

WAIT_S = 60


def at_once(work: Callable[..., Any], *arguments: tuple[Any, ...]) -> list[Any]:
    """What `work` returns in as many processes as there are arguments, begun together."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "alembic.command", "sqlalchemy.dialects.postgresql.psycopg"])
    go, done = context.Barrier(len(arguments)), context.Queue()
    processes = [
        context.Process(target=_run, args=(work, each, go, done, number)) for number, each in enumerate(arguments)
    ]
    for process in processes:
        process.start()
    results = dict(done.get(timeout=WAIT_S) for _ in processes)
    for process in processes:
        process.join(WAIT_S)
    return [results[number] for number in range(len(processes))]


def _run(work: Callable[..., Any], arguments: tuple[Any, ...], go: Any, done: Any, number: int) -> None:
    try:
        done.put((number, work(go, *arguments)))
    except BaseException as error:
        done.put((number, repr(error)))
        raise


def migrated(go: Any, url: str) -> str:
    go.wait(WAIT_S)
    migrate(url)
    return "migrated"


def claimed(go: Any, url: str, worker: int, tickets: list[str]) -> list[str]:
    """The ids of the calls that this process got, all tickets claimed at once."""

    async def claim() -> list[str]:
        async with await State.open(url) as kept:
            await asyncio.to_thread(go.wait, WAIT_S)
            rows = await asyncio.gather(*(kept.calls.claim(t, machine="here", worker=worker) for t in tickets))
            return [row.id for row in rows if row]

    return asyncio.run(claim())
