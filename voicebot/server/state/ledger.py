"""The ends of calls, written behind the calls' backs: nothing of a call waits for a database, and none is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from itertools import islice

from loguru import logger

from voicebot.errors import Unavailable

from .calls import End
from .opening import State

KEPT = 10_000
"""Ends that wait in memory while the database is away; beyond it the oldest goes, and a restart calls it lost."""
BATCH = 100
FIRST_RETRY_S, LAST_RETRY_S = 0.1, 2.0
SWEEP_S = 30.0
"""How often calls are looked for whose stream nobody opened."""
CLOSE_S = 5.0


class Ledger:
    """One task of one worker. Make it on the event loop; close it last."""

    def __init__(self, state: State) -> None:
        self._calls = state.calls
        self._ends: deque[End] = deque()
        self._news = asyncio.Event()
        self._closing = False
        self._away = False
        self._sweep_s = 0.0
        self.dropped = 0
        """Ends that will not be written: there were more than KEPT of them."""
        self._task = asyncio.create_task(self._run(), name="ledger")
        self._task.add_done_callback(_say_broken)

    def ended(self, id: str, reason: str, detail: str = "") -> None:
        """Written soon. Returns at once, whatever the database does."""
        if len(self._ends) >= KEPT:
            self._ends.popleft()
            if not self.dropped:
                logger.error(f"the database has been away for {KEPT} ends of calls: older ones are dropped from now on")
            self.dropped += 1
        self._ends.append(End(id, reason, detail))
        self._news.set()

    async def close(self) -> None:
        """Writes what is left, for up to CLOSE_S; what cannot be written is said."""
        self._closing = True
        self._news.set()
        done, _ = await asyncio.wait({self._task}, timeout=CLOSE_S)
        if not done:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._ends or self.dropped:
            unwritten = len(self._ends) + self.dropped
            logger.error(f"{unwritten} ends of calls were not written: the next start calls those calls lost")

    async def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while self._ends or not self._closing:
            try:
                await self._write()
                await self._sweep()
            except Unavailable as away:
                self._say_away(away)
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, LAST_RETRY_S)
                continue
            self._say_back()
            retry_s = FIRST_RETRY_S
            if not self._ends and not self._closing:
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), SWEEP_S)

    async def _write(self) -> None:
        """The oldest ends. While they are written, older ones may have been dropped, and new ones come."""
        batch = list(islice(self._ends, BATCH))
        if not batch:
            return
        await self._calls.all_ended(batch)
        written = set(map(id, batch))
        while self._ends and id(self._ends[0]) in written:
            self._ends.popleft()

    async def _sweep(self) -> None:
        """Now and then: the calls that were created and never begun."""
        loop = asyncio.get_running_loop()
        if not self._closing and loop.time() >= self._sweep_s:
            await self._calls.expire()
            self._sweep_s = loop.time() + SWEEP_S

    def _say_away(self, error: Unavailable) -> None:
        if not self._away:
            self._away = True
            logger.warning(f"{error} Calls go on; what there is to write is kept until it is back.")

    def _say_back(self) -> None:
        if self._away:
            self._away = False
            logger.info("the database is back, and so is what was to be written")


def _say_broken(task: asyncio.Task[None]) -> None:
    """It never should be; then it has to be known."""
    if not task.cancelled() and (error := task.exception()):
        logger.opt(exception=error).critical("the ledger broke: no end of a call is written any more")
