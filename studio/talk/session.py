"""The calls of one talk: the present one, what can be gone back to, and the process that is ready for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from . import wire
from .line import Line

MEMORIES = 200
"""Turns of a call that one can go back to."""


class Session:
    """`told` gets the reports of the present call; those of calls that were left are dropped."""

    def __init__(self, told: Callable[[wire.Report], None]) -> None:
        self._told = told
        self._line: Line | None = None
        self._spare: Line | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self.memories: dict[int, dict[str, Any]] = {}
        """Turn -> what the agent remembered when its answer to that was heard."""

    @property
    def is_on(self) -> bool:
        """Whether there is a call, or one is beginning."""
        return self._line is not None and not self._line.is_over

    @property
    def last_words(self) -> str:
        """What the process of the present call wrote last, for a report of its end."""
        return self._line.last_words if self._line else ""

    def before(self, turn: int) -> dict[str, Any] | None:
        """What the agent remembered when the caller's turn `turn` began; None at the beginning of the call."""
        earlier = [each for each in self.memories if each < turn]
        return self.memories[max(earlier)] if earlier else None

    async def prepare(self) -> None:
        """Have a process ready for the next call: loading the engine takes seconds."""
        if self._spare is None or self._spare.is_over:
            self._spare = Line(self._hear)
            await self._spare.open()

    async def begin(self, order: wire.Begin) -> None:
        """Leave the present call, if any, and make this one."""
        self.leave()
        await self.prepare()
        self._line, self._spare = self._spare, None
        self.memories = {}
        self.order(order)

    def order(self, order: wire.Order) -> None:
        if self._line:
            self._line.order(order)

    def leave(self) -> None:
        """Hang up; the record is finished in the background."""
        if self._line:
            task = asyncio.create_task(self._line.close())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
            self._line = None

    async def close(self) -> None:
        """The studio closes: no process is left behind."""
        self.leave()
        if self._spare:
            await self._spare.close()
        await asyncio.gather(*self._leaving)

    def _hear(self, line: Line, report: wire.Report) -> None:
        if line is not self._line:
            return
        if isinstance(report, wire.Kept):
            self.memories[report.turn] = report.memory
            while len(self.memories) > MEMORIES:
                del self.memories[min(self.memories)]
        else:
            self._told(report)
