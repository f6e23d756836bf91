"""What is opened once and kept open for all calls of an event loop: connections to tool servers.

The task that opens it also closes it, when it breaks or when the loop ends: the libraries inside tie their clean-up to
the task they were entered in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from loguru import logger

from voicebot import clock

T = TypeVar("T")


class _Opened(Generic[T]):
    """One opening: a task that opens, waits until it is no longer wanted, and closes."""

    def __init__(self, open_it: Callable[[], AbstractAsyncContextManager[T]], forget: Callable[[], None]) -> None:
        self.ready: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.broken = asyncio.Event()
        self.task = asyncio.create_task(self._keep(open_it), name="kept open")
        self.task.add_done_callback(lambda _: forget())

    async def _keep(self, open_it: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        try:
            async with AsyncExitStack() as stack:
                with clock.work():
                    self.ready.set_result(await stack.enter_async_context(open_it()))
                try:
                    await self.broken.wait()
                finally:
                    stack.enter_context(clock.work())  # closing is work, too
        except Exception as error:  # noqa: BLE001 - who waits for it gets it; a failure to close is nobody's concern
            if self.ready.done():
                logger.debug(f"closing failed: {type(error).__name__}: {error}")
            else:
                self.ready.set_exception(error)
                self.ready.exception()  # seen, even if nobody waits any more
        finally:
            self.ready.cancel()


class Kept(Generic[T]):
    """Opened when it is first wanted, and again when it is wanted after it broke."""

    def __init__(self, open_it: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._open = open_it
        self._now: _Opened[T] | None = None

    async def get(self) -> T:
        """What is open, or is opened now. Raises what opening raises; the next `get` tries again."""
        if self._now is None:
            opened = self._now = _Opened(self._open, lambda: self._forget(opened))
        with clock.work():
            return await asyncio.shield(self._now.ready)

    def drop(self, broken: T) -> None:
        """`broken` is of no use any more: it is closed, and the next `get` opens another."""
        now = self._now
        if now and now.ready.done() and not now.ready.exception() and now.ready.result() is broken:
            now.broken.set()
            self._forget(now)

    def _forget(self, opened: _Opened[T]) -> None:
        if self._now is opened:
            self._now = None


_KEPT: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Kept[Any]]] = WeakKeyDictionary()


def kept(which: Hashable, open_it: Callable[[], AbstractAsyncContextManager[T]]) -> Kept[T]:
    """The one of the running loop that `which` names."""
    of_loop = _KEPT.setdefault(asyncio.get_running_loop(), {})
    return of_loop.setdefault(which, Kept(open_it))
