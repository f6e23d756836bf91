"""State: the calls and the keys of one database, as one worker sees them."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.errors import Unavailable

from .batches import Batches
from .calls import Calls
from .database import Database
from .keys import Keys
from .outgoing import Outgoing
from .schema import wrong_with
from .url import Where


class State:
    """Open it on the event loop that will use it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._durable = Database(database.where, durable=True)
        self.calls = Calls(database)
        self.outgoing = Outgoing(self._durable)
        self.batches = Batches(self._durable)
        self.keys = Keys(database)

    @classmethod
    async def open(cls, url: str) -> State:
        """Raises BadInput for a URL that is none, and Unavailable when it cannot be reached or its tables are not
        those of this version: see `migrate`."""
        where = Where.of(url)
        if where.file and not where.file.is_file():
            raise Unavailable(f"there is no {where.file}: 'voicebot serve' and 'voicebot keys' make it.")
        database = Database(where)

        async def look(connection: AsyncConnection) -> str:
            return await connection.run_sync(wrong_with)

        try:
            wrong = await database.run(look)
        except Unavailable:
            await database.close()
            raise
        if wrong:
            await database.close()
            raise Unavailable(f"{where} {wrong}.")
        return cls(database)

    async def close(self) -> None:
        await self.keys.close()
        await self._durable.close()
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"State({self._database.where})"
