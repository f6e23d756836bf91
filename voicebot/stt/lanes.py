"""One worker thread that takes urgent work first: a caller who waits for an answer goes before one who still speaks.

A recogniser that needs all cores for a moment gains nothing from a second thread, so the calls of a process take turns.
Each stream has at most one piece of work waiting, so first come, first served is fair within a lane.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

_Job = tuple[Future[Any], Callable[[], Any]]


class Lanes:
    """`urgent` and `patient` are executors; what waits in `urgent` is done first."""

    def __init__(self, name: str) -> None:
        self.urgent = _Lane(self)
        self.patient = _Lane(self)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def one_more(self) -> None:
        """A job was put into a lane."""
        self._thread.submit(self._do_one)

    def _do_one(self) -> None:
        future, work = (self.urgent if self.urgent.waiting else self.patient).waiting.popleft()
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to whoever waits for the result
            future.set_exception(error)


class _Lane(Executor):
    def __init__(self, lanes: Lanes) -> None:
        self.waiting: deque[_Job] = deque()
        self._lanes = lanes
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            self.waiting.append((future, lambda: fn(*args, **kwargs)))
            self._lanes.one_more()
        return future
