"""Calls that go out: what becomes known of them between the intent, which is their row, and their stream."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .calls import IN_DOUBT, MAX_DETAIL, AnsweredBy, CallRow, Calls, call_of
from .database import Database
from .tables import calls as table
from .tables import now

VOICEMAIL = "voicemail"
"""The reason of a call whose caller was asked for a message."""


class Outgoing:
    """All methods raise Unavailable, within two seconds, when the database does not answer."""

    def __init__(self, database: Database) -> None:
        """Of a durable database: an intent that is forgotten is a number that is dialled twice."""
        self._database = database
        self._calls = Calls(database)

    async def intend(self, row: CallRow, ttl_s: float) -> CallRow:
        """A call is about to be made; from now on it never is again under this id. `ttl_s`: until when it should have
        been answered. Raises AlreadyKnown."""
        expected, _ = await self._calls.expect(
            id=row.id,
            agent=row.agent,
            transport="twilio",
            caller=row.caller,
            callee=row.callee,
            parameters=row.parameters,
            key_id=row.key_id,
            ttl_s=ttl_s,
            direction="outbound",
            machine=row.machine,
            worker=row.worker,
        )
        return expected

    async def forget(self, id: str) -> None:
        """An intent that surely came to nothing: the same id may be tried again."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                delete(table).where(table.c.id == id, table.c.state == "expected", table.c.outside_id == "")
            )

        await self._database.run(work)

    async def dialled(self, id: str, outside_id: str) -> bool:
        """The other side's name for a call, once it is known; False when it has another one already."""

        async def work(connection: AsyncConnection) -> bool:
            done = await connection.execute(
                update(table)
                .where(table.c.id == id, table.c.direction == "outbound", table.c.outside_id.in_(("", outside_id)))
                .values(outside_id=outside_id)
            )
            return done.rowcount == 1

        return await self._database.run(work)

    async def answered_by(self, id: str, who: AnsweredBy) -> bool:
        """Who or what took a call; False when that was known already."""

        async def work(connection: AsyncConnection) -> bool:
            done = await connection.execute(
                update(table).where(table.c.id == id, table.c.answered_by == "").values(answered_by=who)
            )
            return done.rowcount == 1

        return await self._database.run(work)

    async def no_doubt(self, id: str, reason: str, detail: str) -> None:
        """A call that was in doubt is known to have ended like this."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                update(table)
                .where(table.c.id == id, table.c.reason == IN_DOUBT)
                .values(reason=reason, detail=detail[:MAX_DETAIL])
            )

        await self._database.run(work)

    async def orphans(self, machine: str, worker: int) -> list[CallRow]:
        """Calls that a worker was making when it died, and that nobody has answered: there may be news of them."""

        async def work(connection: AsyncConnection) -> list[CallRow]:
            found = await connection.execute(
                select(table).where(
                    table.c.direction == "outbound",
                    table.c.state == "expected",
                    table.c.machine == machine,
                    table.c.worker == worker,
                )
            )
            return [call_of(row) for row in found]

        return await self._database.run(work)

    async def load(self, agents: Iterable[str]) -> dict[str, int]:
        """How many calls each of these agents has, those that are about to begin included."""
        names = list(agents)

        async def work(connection: AsyncConnection) -> dict[str, int]:
            coming = and_(table.c.state == "expected", table.c.expires_at > now())
            found = await connection.execute(
                select(table.c.agent, func.count())
                .where(table.c.agent.in_(names), or_(table.c.state == "live", coming))
                .group_by(table.c.agent)
            )
            return {str(agent): int(count) for agent, count in found}

        return await self._database.run(work) if names else {}

    async def message(self, id: str, detail: str) -> None:
        """What a caller left who was sent to voicemail."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                update(table)
                .where(table.c.id == id, table.c.reason == VOICEMAIL)
                .values(detail=detail[:MAX_DETAIL], ended_at=now())
            )

        await self._database.run(work)
