"""A batch: its numbers are dialled at a pace, so many at once, and what became of each is written down.

    batch = Batch(plan, ledger, server)
    await batch.run()                        # until every number has an outcome; stop() ends it earlier

Before a number is dialled the ledger has the id that its call will have, and the server makes one call for one id. So
whoever goes on after a crash asks for the same id again: a call that was made is found, one that was not is made now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from loguru import logger

from voicebot.call.opening import new_id
from voicebot.errors import Unavailable
from voicebot.telephony.batch.ledger import DialRow, Ledger
from voicebot.telephony.batch.looking import Looking
from voicebot.telephony.batch.rest import Later, NotMade, Rest, Seen
from voicebot.telephony.phonebook import Retry

T = TypeVar("T")
_WAIT_S = 30.0
"""How long a batch that waits for a later hour sleeps before it looks again."""
_PATIENCE_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""How long it is waited between two questions to a ledger that does not answer. Each of them may be asked twice."""
_AGAIN_S = 3600.0
"""When a number that must not be called now is tried again, where the server does not say."""


@dataclass(frozen=True)
class Plan:
    """How a batch is to be dialled."""

    name: str
    agent: str
    at_once: int = 5
    per_minute: float = 0.0
    """Calls begun in a minute at most; 0: as fast as `at_once` allows."""
    from_: str = ""
    retry: Retry = field(default_factory=Retry)


class Batch:
    """One batch, by one process. `tell(row, outcome)` hears of every number that is done, or is tried again."""

    def __init__(
        self, plan: Plan, ledger: Ledger, server: Rest, tell: Callable[[DialRow, str], object] = lambda _row, _out: None
    ) -> None:
        self._plan = plan
        self._ledger = ledger
        self._server = server
        self._looking = Looking(server)
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._next_s = 0.0

    @property
    def running(self) -> int:
        """Calls that are being made."""
        return len(self._tasks)

    def stop(self) -> None:
        """No new calls; `run` returns when those that run are over."""
        self._stopping.set()

    async def run(self) -> None:
        """Raises BadInput, Unavailable when it cannot go on; what was begun is known to the next run."""
        try:
            for row in await _patiently(lambda: self._ledger.rows(self._plan.name, "dialling")):
                await self._room()
                self._begin(row)
            while not self._stopping.is_set() and await self._step():
                self._raise_first()
            while self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                self._raise_first()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._looking.close()

    # -- which number comes next -------------------------------------------------------------------------------------

    async def _step(self) -> bool:
        """Begins the next number, or waits until there is one; False when all are done."""
        await self._room()
        due = await _patiently(lambda: self._ledger.due(self._plan.name, 1, _now()))
        if due and not self._stopping.is_set():
            await self._pace()
            if not self._stopping.is_set():
                await self._intend(due[0])
            return True
        if self._tasks:
            await self._wait(self._tasks, _WAIT_S)
            return True
        moment = await _patiently(lambda: self._ledger.next_due(self._plan.name))
        if moment is None:
            return False
        await self._wait((), min(_WAIT_S, max(0.05, (moment - _now()).total_seconds())))
        return True

    async def _intend(self, row: DialRow) -> None:
        call_id = row.call_id or new_id()
        if await _patiently(lambda: self._ledger.intend(row, call_id)):
            self._begin(replace(row, state="dialling", call_id=call_id, attempts=row.attempts + 1))

    def _begin(self, row: DialRow) -> None:
        task = asyncio.create_task(self._dial(row), name=f"dial {row.call_id}")
        self._tasks.add(task)

    async def _room(self) -> None:
        while len(self._tasks) >= self._plan.at_once:
            await self._wait(self._tasks, None)
            self._raise_first()

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        await self._wait((), max(0.0, self._next_s - loop.time()))
        if self._plan.per_minute:
            self._next_s = max(self._next_s, loop.time()) + 60 / self._plan.per_minute

    async def _wait(self, tasks: Iterable[asyncio.Task[None]], timeout_s: float | None) -> None:
        """For one of the tasks, for `stop` if that is still to come, or so long."""
        if timeout_s is not None and timeout_s <= 0:
            return
        stopping = asyncio.ensure_future(self._stopping.wait())
        waits: set[asyncio.Future[Any]] = {*tasks}
        if not (waits and self._stopping.is_set()):
            waits.add(stopping)
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()

    def _raise_first(self) -> None:
        done = {task for task in self._tasks if task.done()}
        self._tasks -= done
        for task in done:
            task.result()

    # -- one number --------------------------------------------------------------------------------------------------

    async def _dial(self, row: DialRow) -> None:
        """From the intent to what came of it."""
        try:
            seen = await self._made(row)
        except NotMade as refused:
            await self._not_made(row, refused)
            return
        await self._came_of(row, seen if seen.over else await self._looking.over(seen.id))

    async def _made(self, row: DialRow) -> Seen:
        """Asked with one id for as long as it takes: nobody knows whether an answer that was lost was a yes."""
        while True:
            try:
                return await self._server.call(
                    self._plan.agent,
                    row.number,
                    call_id=row.call_id,
                    from_=self._plan.from_,
                    parameters=row.parameters,
                )
            except Later as later:
                logger.debug(f"{row.number}: {later}; again in {later.retry_s:g} s")
                if self._stopping.is_set():
                    raise Unavailable(f"stopped while the server could not be asked: {later}.") from None
                await self._wait((), later.retry_s)

    async def _not_made(self, row: DialRow, refused: NotMade) -> None:
        if refused.retry_s is None:
            await _patiently(lambda: self._ledger.finish(row, "not_called", str(refused)))
            self._tell(row, "not_called")
            return
        until = _now() + timedelta(seconds=refused.retry_s or _AGAIN_S)
        await _patiently(lambda: self._ledger.put_back(row, until, str(refused)))
        self._tell(row, "waits")

    async def _came_of(self, row: DialRow, seen: Seen) -> None:
        retry, outcome = self._plan.retry, seen.outcome
        if outcome in retry.when and row.attempts <= retry.times:
            until = _now() + timedelta(seconds=retry.after)
            await _patiently(lambda: self._ledger.again(row, until, outcome, seen.detail))
            self._tell(row, "again")
            return
        await _patiently(lambda: self._ledger.finish(row, outcome, seen.detail or seen.reason))
        self._tell(row, outcome)


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """What the ledger says, when it can: its database may be locked, or away for a minute. Raises Unavailable."""
    for wait_s in _PATIENCE_S:
        try:
            return await work()
        except Unavailable as error:
            logger.debug(f"{error} Again in {wait_s:g} s.")
            await asyncio.sleep(wait_s)
    return await work()


def _now() -> datetime:
    return datetime.now(UTC)
