"""Two clocks for one engine: real time, and time that skips idling.

All voicebot code takes time from the event loop (`loop.time()`, `asyncio.sleep`, `call_later`), so the loop decides
what time it is. `run(main, skip_idle=True)` runs `main` on a loop that goes at real speed while any work is pending
(inference in an executor, a request on the network) and jumps to the next timer while everybody only waits (audio
pacing, silence). A three-minute call then takes as long as its computing, and its latencies stay true, because
computing is never skipped.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SkipIdleLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock skips the time in which nothing is being worked on."""

    def __init__(self) -> None:
        self._skipped_s = 0.0
        self._pending_work = 0
        super().__init__(_SkipIdleSelector(self))

    def time(self) -> float:
        """Seconds: monotonic time plus all the idling skipped so far."""
        return time.monotonic() + self._skipped_s

    @property
    def skipped_s(self) -> float:
        return self._skipped_s

    @property
    def working(self) -> bool:
        """True while something outside the loop computes or is waited for over a network."""
        return self._pending_work > 0

    def skip(self, seconds: float) -> None:
        self._skipped_s += seconds

    def work_began(self) -> None:
        self._pending_work += 1

    def work_ended(self, _: object = None) -> None:
        self._pending_work -= 1

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self.work_began()
        future.add_done_callback(self.work_ended)
        return future


class _SkipIdleSelector(selectors.DefaultSelector):
    """Waits for I/O like its base, unless waiting would only be idling: then time jumps instead."""

    def __init__(self, loop: SkipIdleLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0 or self._loop.working:
            return list(super().select(timeout))
        events = list(super().select(0))
        if not events:
            self._loop.skip(timeout)
        return events


@contextmanager
def work() -> Iterator[None]:
    """Say that what is awaited inside is work, not idling: a provider on the network uses this around a request.

    Executor jobs need not be announced. On the real clock this does nothing.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SkipIdleLoop):
        yield
        return
    loop.work_began()
    try:
        yield
    finally:
        loop.work_ended()


def name() -> str:
    """'real' or 'skip-idle': the clock of the running loop."""
    return "skip-idle" if isinstance(asyncio.get_running_loop(), SkipIdleLoop) else "real"


def run(main: Coroutine[Any, Any, T], *, skip_idle: bool = False) -> T:
    """Run `main` to its end on a new event loop with the chosen clock. Ctrl-C cancels it and is raised afterwards."""
    factory = SkipIdleLoop if skip_idle else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
