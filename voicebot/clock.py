"""Two clocks for one engine: real time, and time that skips idling.

All voicebot code takes time from the event loop (`loop.time()`, `asyncio.sleep`, `call_later`), so the loop decides
what time it is. `run(main, skip_idle=True)` runs `main` on a `SkipIdleLoop`: a three-minute call takes as long as its
computing, and goes the same way every time. When something happens is `loop.time()`; how long something took is the
difference of two `now_s()`, which count what computing really took on both clocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from voicebot.skip_idle import Outside, SkipIdleLoop

__all__ = ["Outside", "SkipIdleLoop", "catch_up", "lag_ms", "name", "now_s", "run", "work"]

T = TypeVar("T")


@contextmanager
def work() -> Iterator[None]:
    """Say that what is awaited inside is work, not idling: a provider on the network uses this around a request.

    Executor jobs need not be announced. On the real clock this does nothing.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SkipIdleLoop):
        yield
        return
    with loop.work():
        yield


def lag_ms() -> float:
    """How far the running loop's time is behind what computing really took, to a microsecond; 0 on the real clock."""
    loop = asyncio.get_running_loop()
    return round(loop.lag_s * 1000, 3) if isinstance(loop, SkipIdleLoop) else 0.0


def catch_up() -> None:
    """Begin without a lag: what was computed until now (models into memory) came before anybody waited for it."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, SkipIdleLoop):
        loop.catch_up()


def now_s() -> float:
    """Seconds for measuring how long something takes: the running loop's time and its lag."""
    loop = asyncio.get_running_loop()
    return loop.time() + loop.lag_s if isinstance(loop, SkipIdleLoop) else loop.time()


def name() -> str:
    """'real' or 'skip-idle': the clock of the running loop."""
    return "skip-idle" if isinstance(asyncio.get_running_loop(), SkipIdleLoop) else "real"


def run(main: Coroutine[Any, Any, T], *, skip_idle: bool = False) -> T:
    """Run `main` to its end on a new event loop with the chosen clock. Ctrl-C cancels it and is raised afterwards."""
    factory = SkipIdleLoop if skip_idle else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
