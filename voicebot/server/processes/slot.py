"""The name of a server that lives in a command: the next one of the project has it again, and finds its calls by it.

    async with named(settings) as settings: ...     # what a killed one has left behind is written down by then

A port that is free each time would be another name each time, and nobody would know what became of the calls.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filelock import FileLock, Timeout

from voicebot.errors import Unavailable
from voicebot.server.processes.aftermath import Deceased, write
from voicebot.server.settings import Settings

LEFT_BEHIND = "the command that had this call ended without ending it"
_MOST = 32
"""Such servers of one project at once."""


@asynccontextmanager
async def named(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with a name that no other process on this machine has. Raises BadInput, Unavailable."""
    settings.own_dir.mkdir(mode=0o700, exist_ok=True)
    lock, number = _free(settings)
    try:
        ours = settings.model_copy(update={"advertise": f"{socket.gethostname()}-command-{number}"})
        await write(Deceased(settings=ours, why=LEFT_BEHIND, migrate=True))
        yield ours
    finally:
        lock.release()


def _free(settings: Settings) -> tuple[FileLock, int]:
    for number in range(_MOST):
        lock = FileLock(settings.own_dir / f"command-{number}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            continue
        return lock, number
    raise Unavailable(f"{_MOST} commands of this project have a server each already.")
