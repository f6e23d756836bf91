"""Nobody says anything: how long the agent waits for the caller, and how often in a row it has waited in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SILENCES = 3
"""The agent hangs up when the caller has been silent this often in a row."""


class Silence:
    """`on_silent(times)` is called when it has lasted `idle_s`."""

    def __init__(self, idle_s: float, on_silent: Callable[[int], None]) -> None:
        self._idle_s = idle_s
        self._on_silent = on_silent
        self._times = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self.end()
        self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._over)

    def end(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def caller_spoke(self) -> None:
        """The next silence counts as the first again."""
        self._times = 0

    def _over(self) -> None:
        self._times += 1
        self._on_silent(self._times)
