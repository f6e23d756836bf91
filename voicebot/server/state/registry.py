"""Which worker of which machine has a running call, for requests that reach another one.

    registry = await open(settings, state, worker=2)
    registry.put(id)                     # from the call's first moment; waits for nothing
    place = await registry.where(id)

One machine: the state knows it. Several: Redis does, because its entries vanish with the machine that made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from voicebot import config
from voicebot.errors import BadInput
from voicebot.server.settings import Settings

from .calls import MAX_PAGE
from .opening import State

REDIS = "VOICEBOT_REDIS"


@dataclass(frozen=True)
class Place:
    machine: str
    """Its `Settings.machine`: where the other machines reach it, when there are several."""
    worker: int


class Registry(Protocol):
    """The places of running calls."""

    def put(self, id: str) -> None:
        """This worker has the call. Returns at once."""

    def drop(self, id: str) -> None:
        """The call is over. Returns at once."""

    async def where(self, id: str) -> Place | None:
        """Who has the call; None: nobody does. Raises Unavailable when nobody knows."""

    async def live(self) -> list[tuple[str, Place]]:
        """All running calls. Raises Unavailable when nobody knows."""

    async def close(self) -> None:
        """This worker has no calls any more."""


async def open(settings: Settings, state: State, worker: int) -> Registry:
    """With Redis when the settings name it, or VOICEBOT_REDIS. It may be away: calls do not need it.

    Raises BadInput for settings that cannot work.
    """
    named = config.key(REDIS, settings.project)
    url = settings.redis or (named.get_secret_value() if named else "")
    if not url:
        return OneMachine(state)
    if not settings.advertise:
        raise BadInput("Redis is for several machines: --advertise has to say where the others reach this one.")
    from .machines import Machines

    return await Machines.open(url, Place(settings.machine, worker), state)


class OneMachine:
    """The rows of the calls say it already: there is nothing to be put down."""

    def __init__(self, state: State) -> None:
        self._calls = state.calls

    def put(self, id: str) -> None:
        """Its row says so since it was claimed."""

    def drop(self, id: str) -> None:
        """Its row says so when the ledger has written its end."""

    async def where(self, id: str) -> Place | None:
        row = await self._calls.get(id)
        return Place(row.machine, row.worker) if row and row.state == "live" else None

    async def live(self) -> list[tuple[str, Place]]:
        found: list[tuple[str, Place]] = []
        cursor = None
        while cursor != "":
            page = await self._calls.list(state="live", before=cursor, limit=MAX_PAGE)
            found += [(row.id, Place(row.machine, row.worker)) for row in page.rows]
            cursor = page.next_cursor
        return found

    async def close(self) -> None:
        """Nothing is open."""
