"""Whether one more call may come: asked before it is answered, so that the calls there are do not suffer.

    with admission.take() as seat:      # raises Refused
        ...                             # the call

A worker refuses when it drains, when all its seats are taken, when its event loop is late or when memory runs out. The
seats are what this machine was measured to carry (`voicebot bench calls --save`); the other two are for what nobody
measured: a neighbour on the machine, a model that is slower today.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType

from loguru import logger

from voicebot.server.capacity.board import Board, BoardRow, Why
from voicebot.server.capacity.strain import LoopLag, memory_left_bytes, rss_bytes

LATE_MS = 50.0
"""An event loop that is so late takes no new call: the latency that a call may add to its models' own ..."""
ON_TIME_MS = 25.0
"""... until it is no later than this."""
RESERVE_BYTES = 256 * 2**20
"""Memory that is kept for the calls there are."""
_LOOK_S = 0.5
_SENTENCES: dict[Why, tuple[str, int]] = {
    "draining": ("the server is about to stop and takes no new calls", 30),
    "full": ("all lines are busy", 10),
    "lagging": ("the server has more work than it can do in time", 5),
    "memory": ("the server is short of memory", 30),
    "state": ("the server cannot reach its database", 5),
    "ports": ("all ports for calls from browsers are taken", 10),
}


class Refused(Exception):
    """There is no room for this call now. `sentence` may be shown to whoever asked."""

    def __init__(self, why: Why) -> None:
        self.why = why
        self.sentence, self.retry_after_s = _SENTENCES[why]
        super().__init__(self.sentence)


class Seat:
    """One call's room. Give it back once, at the call's end: as a context manager, or by `leave`."""

    def __init__(self, row: BoardRow, changed: Callable[[], object]) -> None:
        self._row: BoardRow | None = row
        self._changed = changed
        row.call_began()

    def leave(self) -> None:
        """Idempotent."""
        if self._row:
            self._row.call_left()
            self._row = None
            self._changed()

    def __enter__(self) -> Seat:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


class Admission:
    """One worker's. Plain calls on its event loop."""

    def __init__(
        self,
        board: Board,
        row: BoardRow,
        limit: int,
        memory_left: Callable[[], int | None] = memory_left_bytes,
        lag: LoopLag | None = None,
    ) -> None:
        self.limit = limit
        self._board = board
        self._row = row
        self._memory_left = memory_left
        self._lag = lag or LoopLag()
        self._late = self._short = False
        self._watch: asyncio.Task[None] | None = None
        row.begin(limit, time.time())

    # -- asked -------------------------------------------------------------------------------------------------------

    def take(self) -> Seat:
        """Room for one call in this worker. Raises Refused."""
        if why := self._why():
            self._row.count_refused(why)
            raise Refused(why)
        seat = Seat(self._row, self._tell)
        self._tell()
        return seat

    def refusal(self) -> Refused | None:
        """Why the whole server would refuse a call now; None: at least one worker has room. Takes nothing."""
        why = self._why()
        others = [row for row in self._board.rows() if row.ready and row.place != self._row.place]
        if why is None or any(row.refusing is None for row in others):
            return None
        return Refused(why)

    # -- told --------------------------------------------------------------------------------------------------------

    @property
    def draining(self) -> bool:
        return self._row.draining

    @draining.setter
    def draining(self, yes: bool) -> None:
        self._row.draining = yes
        self._tell()

    # -- measured ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to measure, on the running loop."""
        self._lag.start()
        self._watch = asyncio.create_task(self._measure())

    async def stop(self) -> None:
        self._lag.stop()
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._row.leave()

    async def _measure(self) -> None:
        while True:
            self._look(self._lag.p95_ms)
            await asyncio.sleep(_LOOK_S)

    def _look(self, lag_ms: float) -> None:
        late = lag_ms > (ON_TIME_MS if self._late else LATE_MS)
        left = self._memory_left()
        short = left is not None and left < RESERVE_BYTES * (1.25 if self._short else 1)
        if late and not self._late:
            logger.warning(f"no new calls: the event loop is {lag_ms:.0f} ms late")
        if short and not self._short:
            logger.warning(f"no new calls: {(left or 0) >> 20} MiB of memory are left")
        if (self._late or self._short) and not (late or short):
            logger.info("new calls are taken again")
        self._late, self._short = late, short
        self._row.measured(lag_ms, rss_bytes())
        self._tell()

    def _why(self) -> Why | None:
        if self._row.draining:
            return "draining"
        if self._row.calls >= self.limit:
            return "full"
        if self._late:
            return "lagging"
        return "memory" if self._short else None

    def _tell(self) -> None:
        self._row.refuse(self._why())
