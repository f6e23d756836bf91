"""One of the places that a server keeps manned: when a worker dies, another one follows."""

from __future__ import annotations

from typing import Protocol

from loguru import logger

from voicebot.server.processes.crew import FINISH, Worker, how

DEATHS = 5
"""Workers that may die in a row before they were ready."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


class Office(Protocol):
    """Who hires."""

    @property
    def stopping(self) -> bool: ...

    async def pause(self, seconds: float) -> None:
        """Shorter when the server stops."""

    async def hire(self) -> Worker: ...

    def bury(self, worker: Worker) -> None:
        """It has gone: what it left is written down, and its place given free."""

    def hopeless(self, worker: Worker) -> bool:
        """DEATHS workers have died before they were ready, this one last. Whether that is the end of the server."""


class Post:
    def __init__(self, office: Office, worker: Worker) -> None:
        self._office = office
        self.worker = worker

    async def keep(self) -> None:
        """Until the server stops and the worker has gone."""
        deaths = 0
        while True:
            worker = self.worker
            await worker.gone()
            if worker is not self.worker:  # its successor was there before it left
                continue
            self._office.bury(worker)
            deaths = 0 if worker.report else deaths + 1
            if deaths >= DEATHS and self._office.hopeless(worker):
                return
            if not self._office.stopping:
                await self._office.pause(_pause_s(deaths))
            if self._office.stopping:
                return
            self.worker = await self._office.hire()

    async def renew(self) -> bool:
        """Another worker, and when it is ready this one finishes its calls and goes. False when that failed."""
        old, new = self.worker, await self._office.hire()
        if await new.ready() is None:
            end = how(await new.gone())
            if not self._office.stopping:
                logger.error(f"the workers stay as they are: the new one {end} before it was ready: {why(new)}")
            self._office.bury(new)
            return False
        if self.worker is old:
            self.worker = new
        else:  # it died meanwhile, and has a successor already
            old = new
        old.signal(FINISH)
        await old.gone()
        self._office.bury(old)
        return True


def why(worker: Worker) -> str:
    """What a worker said that could not begin."""
    return worker.failed.sentence if worker.failed else "its last lines in the log say more."


def _pause_s(deaths: int) -> float:
    return min(_FIRST_PAUSE_S * 2 ** (deaths - 1), _LONGEST_PAUSE_S) if deaths else 0.0
