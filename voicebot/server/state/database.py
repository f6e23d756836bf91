"""One pool of connections; whatever a database does, a question has its answer or its error within two seconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .schema import needs_driver
from .url import Where

T = TypeVar("T")
TIMEOUT_S = 2.0
"""For a question as a whole, the wait for a connection included. A caller is listening to silence meanwhile."""
LOCKED_S = 1.5
"""How long SQLite waits for another process's lock."""
CONNECTIONS = 4


class Database:
    """The engine of one process and one event loop."""

    def __init__(self, where: Where, *, durable: bool = False) -> None:
        """`durable`: what was committed is there after a power cut, too; it costs SQLite an fsync."""
        self.where = where
        self._engine = _engine(where, durable=durable)
        self._running: dict[asyncio.Task[Any], AsyncConnection | None] = {}

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What `work` returns, done in one transaction.

        Raises IntegrityError as the driver does, and Unavailable for whatever else the database does, after TIMEOUT_S
        at the latest: a driver whose server is frozen may swallow a cancellation, so nobody waits for it.
        """
        task: asyncio.Task[T] = asyncio.ensure_future(self._within(work))
        self._running[task] = None
        task.add_done_callback(self._done)
        try:
            await asyncio.wait({task}, timeout=TIMEOUT_S)
        except asyncio.CancelledError:
            self._break_off(task)
            raise
        if not task.done():
            self._break_off(task)
            raise self.where.unreachable(f"no answer within {TIMEOUT_S:.0f} s")
        try:
            return task.result()
        except IntegrityError:
            raise
        except (DBAPIError, NoConnection, OSError, asyncio.CancelledError) as error:
            raise self.where.unreachable(error) from None

    async def close(self) -> None:
        """What is under way gets the time it has anyway; then the connections close."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=TIMEOUT_S)
        for task in list(self._running):
            self._break_off(task)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_S):
                await self._engine.dispose()

    async def _within(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self._engine.begin() as connection:
            if task := asyncio.current_task():
                self._running[task] = connection
            return await work(connection)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.pop(task, None)
        if not task.cancelled():
            task.exception()  # whoever asked has gone: it is no unheard error

    def _break_off(self, task: asyncio.Task[Any]) -> None:
        """Hangs up on a server that says nothing, so that its connection leaves the pool; else cancels the task."""
        connection = self._running.get(task)
        if connection is None or not _hang_up(connection):
            task.cancel()


def _hang_up(connection: AsyncConnection) -> bool:
    """The driver reads the end of the stream and fails at once. False where there is no open line, as with SQLite."""
    with contextlib.suppress(SQLAlchemyError, OSError):
        pooled = connection.sync_connection and connection.sync_connection.connection
        driver = pooled.driver_connection if pooled else None
        if driver is not None and not getattr(driver, "closed", True):
            with socket.socket(fileno=os.dup(driver.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
            return True
    return False


def _engine(where: Where, *, durable: bool) -> AsyncEngine:
    pool: dict[str, Any] = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": TIMEOUT_S}
    if where.postgres is not None:
        needs_driver()
        arguments = {
            "connect_timeout": 2,
            "prepare_threshold": None,  # PgBouncer may give the next statement to another session
            "application_name": "voicebot",
        }
        return create_async_engine(
            where.engine_url(), connect_args=arguments, pool_pre_ping=True, pool_recycle=1800, **pool
        )
    engine = create_async_engine(where.engine_url("aiosqlite"), connect_args={"timeout": LOCKED_S}, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def _quick(connection: Any, _: Any) -> None:
        """In WAL a crash of the machine may cost the last calls' ends, never the file; each commit saves an fsync."""
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")

    return engine
