"""What all routes of one worker share: its settings, its books, its agents, its room and its calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from voicebot.observe.health import ward
from voicebot.observe.metrics import Meters
from voicebot.server.address import Address
from voicebot.server.agents import Agents
from voicebot.server.capacity import limit
from voicebot.server.capacity.admission import Admission
from voicebot.server.capacity.board import Board, BoardRow
from voicebot.server.capacity.strain import LoopLag
from voicebot.server.desk import Desk, Parts
from voicebot.server.phones import Phones
from voicebot.server.settings import Settings
from voicebot.server.state import Ledger, State, default_url, registry
from voicebot.server.state.registry import Registry


@dataclass(frozen=True)
class Site:
    """One worker's; in a test, a whole server's."""

    settings: Settings
    worker: int
    state: State
    ledger: Ledger
    registry: Registry
    agents: Agents
    phones: Phones
    board: Board
    """The figures of all workers."""
    row: BoardRow
    """Those of this one."""
    admission: Admission
    desk: Desk
    meters: Meters
    """What its calls and their providers are counted by."""
    address: Address
    stop: Callable[[], object] | None = None
    """Has the whole server finish its calls and stop, as SIGTERM does; None where it is part of a command."""

    @property
    def machine(self) -> str:
        return self.settings.machine

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        worker: int = 0,
        board: Board | None = None,
        parts: Parts | None = None,
        stop: Callable[[], object] | None = None,
    ) -> AsyncIterator[Site]:
        """Everything, on the running loop; closed in the right order. The database must have been migrated.

        `worker` is the place on the board. Raises Unavailable, BadInput.
        """
        board = board or Board.alone()
        row = board.row(worker)
        async with AsyncExitStack() as stack:
            state = await stack.enter_async_context(await State.open(settings.database or default_url(settings)))
            calls = await registry.open(settings, state, worker)
            stack.push_async_callback(calls.close)
            ledger = Ledger(state)
            stack.push_async_callback(ledger.close)
            meters = Meters()
            ward().witnesses.append(meters.providers)
            lag = LoopLag(meters.loop_lag.observe)
            admission = Admission(board, row, limit.limit_of(settings).calls, lag=lag)
            admission.start()
            stack.push_async_callback(admission.stop)
            desk = Desk(settings, row, ledger, calls, meters, parts)
            agents, phones, at = Agents(settings.project), Phones(settings.project), Address(settings.public_url)
            yield cls(
                settings, worker, state, ledger, calls, agents, phones, board, row, admission, desk, meters, at, stop
            )
