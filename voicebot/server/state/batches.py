"""Batches of calls that go out: which numbers there are, which were dialled, and what came of it.

A number is in a batch once. Before it is dialled its row says so, under the id that its call will have: whoever goes
on with the batch after a crash asks what became of that call, and never dials in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.telephony.batch.ledger import BatchRow, DialRow, DialState

from .database import Database
from .tables import batches as table
from .tables import dials, now

_AT_ONCE = 500
"""Rows in one statement."""


class Batches:
    """All methods raise Unavailable, within two seconds, when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, name: str, agent: str, source: str) -> BatchRow:
        """The batch of this name; made when there is none."""

        async def work(connection: AsyncConnection) -> BatchRow:
            found = (await connection.execute(select(table).where(table.c.name == name))).one_or_none()
            if found is None:
                values = {"name": name, "agent": agent, "source": source, "created_at": now()}
                await connection.execute(insert(table).values(**values))
                found = (await connection.execute(select(table).where(table.c.name == name))).one()
            return BatchRow(**found._mapping)

        return await self._database.run(work)

    async def all(self) -> list[BatchRow]:
        """The latest first."""

        async def work(connection: AsyncConnection) -> list[BatchRow]:
            found = await connection.execute(select(table).order_by(table.c.created_at.desc()))
            return [BatchRow(**row._mapping) for row in found]

        return await self._database.run(work)

    async def add(self, rows: Iterable[DialRow]) -> int:
        """Numbers that the batch does not have yet; how many these were. Those that it has stay as they are."""
        new = list(rows)
        if not new:
            return 0
        known = {row.number for row in await self.rows(new[0].batch)}
        missing = [vars(row) for row in new if row.number not in known]
        for begin in range(0, len(missing), _AT_ONCE):
            await self._insert(missing[begin : begin + _AT_ONCE])
        return len(missing)

    async def rows(self, batch: str, state: DialState | None = None) -> list[DialRow]:
        """In the order of the file."""
        wanted = dials.c.batch == batch
        query = select(dials).where(wanted if state is None else and_(wanted, dials.c.state == state))

        async def work(connection: AsyncConnection) -> list[DialRow]:
            return [_dial(row) for row in await connection.execute(query.order_by(dials.c.place))]

        return await self._database.run(work)

    async def counts(self, batch: str) -> dict[str, int]:
        """How many numbers wait, are being dialled, or have which outcome."""
        columns = (dials.c.state, dials.c.outcome)

        async def work(connection: AsyncConnection) -> dict[str, int]:
            found = await connection.execute(
                select(*columns, func.count()).where(dials.c.batch == batch).group_by(*columns)
            )
            counted: dict[str, int] = {}
            for state, outcome, count in found:
                name = outcome if state == "done" else state
                counted[name] = counted.get(name, 0) + count
            return counted

        return await self._database.run(work)

    async def due(self, batch: str, most: int, moment: datetime) -> list[DialRow]:
        """Numbers that may be dialled at `moment`, in the order of the file."""
        ready = or_(dials.c.not_before.is_(None), dials.c.not_before <= moment)
        query = select(dials).where(dials.c.batch == batch, dials.c.state == "waiting", ready)

        async def work(connection: AsyncConnection) -> list[DialRow]:
            return [_dial(row) for row in await connection.execute(query.order_by(dials.c.place).limit(most))]

        return await self._database.run(work)

    async def next_due(self, batch: str) -> datetime | None:
        """When the next of those that wait may be dialled; None when none waits for a time."""
        query = select(func.min(dials.c.not_before)).where(dials.c.batch == batch, dials.c.state == "waiting")

        async def work(connection: AsyncConnection) -> datetime | None:
            moment: datetime | None = (await connection.execute(query)).scalar()
            return moment

        return await self._database.run(work)

    async def intend(self, row: DialRow, call_id: str) -> bool:
        """The number is about to be dialled, as the call `call_id`. Of several who ask one is told True, each time."""
        waits = and_(dials.c.state == "waiting", dials.c.attempts == row.attempts)
        ours = and_(dials.c.state == "dialling", dials.c.attempts == row.attempts + 1, dials.c.call_id == call_id)

        async def work(connection: AsyncConnection) -> bool:
            done = await connection.execute(
                update(dials)
                .where(_is(row), or_(waits, ours))
                .values(state="dialling", call_id=call_id, attempts=row.attempts + 1, dialled_at=now())
            )
            return done.rowcount == 1

        return await self._database.run(work)

    async def again(self, row: DialRow, until: datetime, outcome: str, detail: str) -> None:
        """It was dialled, came to nothing, and is dialled once more from then on."""
        await self._change(row, state="waiting", not_before=until, call_id="", outcome=outcome, detail=detail)

    async def put_back(self, row: DialRow, until: datetime, why: str) -> None:
        """It was not dialled after all, and waits until then. It keeps the id of its call."""
        await self._change(row, state="waiting", not_before=until, attempts=row.attempts - 1, detail=why)

    async def finish(self, row: DialRow, outcome: str, detail: str = "") -> None:
        """Nothing more is done about this number."""
        await self._change(row, state="done", outcome=outcome, detail=detail)

    async def _insert(self, values: list[dict[str, Any]]) -> None:
        await self._database.run(lambda connection: connection.execute(insert(dials), values))

    async def _change(self, row: DialRow, **values: object) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(dials).where(_is(row)).values(**values))

        await self._database.run(work)


def _is(row: DialRow) -> ColumnElement[bool]:
    return and_(dials.c.batch == row.batch, dials.c.number == row.number)


def _dial(row: Row[Any]) -> DialRow:
    return DialRow(**row._mapping)
