"""Conversations that outlive the process: each turn's latest checkpoint is copied to SQLite or PostgreSQL.

A call works on the checkpoints in memory, and a task of its own copies them, so that no reply ever waits for a
database, and one that is slow or down costs the call nothing. What is there is LangGraph's own: open it with
AsyncSqliteSaver or AsyncPostgresSaver, and the call's id is the thread.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from loguru import logger

from voicebot import clock, config, paths
from voicebot.brain import Failed
from voicebot.brain.checkpoints import LatestSaver
from voicebot.errors import BadInput, MissingExtra

DATABASE_URL = "DATABASE_URL"
SQLITE_FILE = "checkpoints.sqlite"
COPY_S = 10.0
"""How long one copy may take before it is given up until the next turn."""
CLOSE_S = 3.0
"""How long the end of a call waits for its last copy."""

Kind = Literal["sqlite", "postgres"]
Saver = BaseCheckpointSaver[Any]
Connect = Callable[[], AbstractAsyncContextManager[Saver]]

_OPEN: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Archive]] = WeakKeyDictionary()


class Archive:
    """A database, opened once for all calls of an event loop and closed with the last of them."""

    def __init__(self, name: str, connect: Connect) -> None:
        self.name = name
        self._connect = connect
        self._stack = AsyncExitStack()
        self._saver: Saver | None = None
        self._calls = 0
        self._lock = asyncio.Lock()

    def enter(self) -> None:
        """One more call uses it."""
        self._calls += 1

    async def leave(self) -> None:
        """One call less."""
        self._calls -= 1
        if not self._calls:
            async with self._lock:
                self._saver = None
                await self._stack.aclose()

    async def saver(self) -> Saver:
        """Connects when it is first needed. Raises what the database raises."""
        async with self._lock:
            if self._saver is None:
                self._saver = await self._stack.enter_async_context(self._connect())
            return self._saver


class Archivist:
    """Copies one call's checkpoints from `memory` to the archive."""

    def __init__(self, archive: Archive, memory: LatestSaver, thread: str) -> None:
        self._archive = archive
        self._memory = memory
        self._thread = thread
        self._kept: dict[str, str] = {}
        """The latest checkpoint in the archive, by namespace."""
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failed = False
        self._untold: list[Failed] = []
        archive.enter()
        self._task = asyncio.create_task(self._work(), name="archivist")

    def keep(self) -> None:
        """Copy what is there now, soon. A plain call on the event loop; while one copy is under way, the next waits."""
        self._idle.clear()
        self._wanted.set()

    def untold(self) -> list[Failed]:
        """What failed since it was last asked."""
        untold, self._untold = self._untold, []
        return untold

    async def close(self) -> None:
        """Copy the last checkpoints, if that does not take too long."""
        self.keep()
        try:
            with clock.work():
                async with asyncio.timeout(CLOSE_S):
                    await self._idle.wait()
        except TimeoutError:
            self._note(TimeoutError(f"not done {CLOSE_S:g} s after the end of the call"))
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._archive.leave()

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                with clock.work():
                    async with asyncio.timeout(COPY_S):
                        await self._copy(self._memory.latest(self._thread))
                self._failed = False
            except Exception as error:  # noqa: BLE001 - whatever a database raises, the call goes on
                self._note(error)
            if not self._wanted.is_set():
                self._idle.set()

    def _note(self, error: Exception) -> None:
        if not self._failed:
            reason = (str(error).splitlines() or [f"no answer within {COPY_S:g} s"])[0]
            logger.warning(f"{self._archive.name} keeps nothing of this call: {type(error).__name__}: {reason}")
            told = f"{type(error).__name__}: {reason}"
            self._untold.append(Failed(self._archive.name, told, "the conversation is in memory only", "store"))
        self._failed = True

    async def _copy(self, checkpoints: list[CheckpointTuple]) -> None:
        saver = await self._archive.saver()
        for each in checkpoints:
            namespace = each.config["configurable"]["checkpoint_ns"]
            before: RunnableConfig = {"configurable": {"thread_id": self._thread, "checkpoint_ns": namespace}}
            if namespace in self._kept and self._kept[namespace] != each.checkpoint["id"]:
                before["configurable"]["checkpoint_id"] = self._kept[namespace]
            versions = each.checkpoint["channel_versions"]
            saved = await saver.aput(before, each.checkpoint, each.metadata, versions)
            for task_id, writes in _by_task(each).items():
                await saver.aput_writes(saved, writes, task_id)
            self._kept[namespace] = each.checkpoint["id"]


def _by_task(checkpoint: CheckpointTuple) -> dict[str, list[tuple[str, Any]]]:
    writes: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for task_id, channel, value in checkpoint.pending_writes or ():
        writes[task_id].append((channel, value))
    return writes


def connection(kind: Kind, root: Path) -> tuple[str, Connect]:
    """The database's name, which tells them apart, and how to connect to it. Nothing is connected yet.

    Raises BadInput without DATABASE_URL, MissingExtra without the library.
    """
    if kind == "sqlite":
        path = paths.calls_dir(root) / SQLITE_FILE
        return str(path), lambda: _sqlite(path)
    if importlib.util.find_spec("psycopg") is None or importlib.util.find_spec("psycopg_pool") is None:
        raise MissingExtra("PostgreSQL's client", "postgres")
    url = config.key(DATABASE_URL, root)
    if url is None:
        raise BadInput(
            f"brain.checkpoints: postgres needs {DATABASE_URL}, in the environment or in .env: "
            "postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return url.get_secret_value(), lambda: _postgres(url.get_secret_value())


def archive(kind: Kind, root: Path) -> Archive:
    """The archive of the running event loop."""
    target, connect = connection(kind, root)
    opened = _OPEN.setdefault(asyncio.get_running_loop(), {})
    return opened.setdefault(target, Archive(kind, connect))


@asynccontextmanager
async def _sqlite(path: Path) -> AsyncIterator[Saver]:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    path.parent.mkdir(parents=True, exist_ok=True)
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.setup()
        yield saver


@asynccontextmanager
async def _postgres(url: str) -> AsyncIterator[Saver]:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow, dict_row
    from psycopg_pool import AsyncConnectionPool

    how = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool: AsyncConnectionPool[AsyncConnection[DictRow]]
    pool = AsyncConnectionPool(url, min_size=1, max_size=4, kwargs=how, open=False)
    async with pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield saver
