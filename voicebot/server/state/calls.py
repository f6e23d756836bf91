"""The calls of all workers, one row each: expected, live, ended or lost.

Who claims a ticket has the call: `claim` is one UPDATE with its condition in it, so of a hundred claimants in as many
processes one wins, on either database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, and_, bindparam, case, insert, literal, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.errors import BadInput, VoicebotError

from .database import Database
from .tables import Moment, clean, now
from .tables import calls as table

Transport = Literal["twilio", "websocket", "webrtc"]
CallState = Literal["expected", "live", "ended", "lost"]
Direction = Literal["inbound", "outbound"]
AnsweredBy = Literal["", "human", "machine", "fax", "unknown"]
MAX_PAGE = 200
MAX_TEXT = 512
MAX_DETAIL = 2000
"""Characters; what is longer is cut."""
NOT_OPENED = "not_opened"
"""The reason of a call that was created and whose stream nobody opened in time."""
IN_DOUBT = "in_doubt"
"""The reason of a call that was to go out, and of which nobody knows whether it did: it is never made again."""
_why_unopened = case((and_(table.c.direction == "outbound", table.c.outside_id == ""), IN_DOUBT), else_=NOT_OPENED)
_END = (
    update(table)
    .where(table.c.id == bindparam("ended"), or_(table.c.state == "expected", table.c.state == "live"))
    .values({"state": "ended", **{name: bindparam(name) for name in ("ended_at", "reason", "detail")}})
)


@dataclass(frozen=True)
class CallRow:
    """What is known of one call. Times are aware and in UTC."""

    id: str
    agent: str
    transport: Transport
    state: CallState = "live"
    caller: str = ""
    callee: str = ""
    outside_id: str = ""
    """The other side's name for it (Twilio's CallSid), or ''."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    worker: int = 0
    key_id: str = ""
    """The API key that created it, or ''."""
    created_at: datetime = field(default_factory=now)
    expires_at: datetime | None = None
    """Until when its ticket can be used."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    detail: str = ""
    direction: Direction = "inbound"
    answered_by: AnsweredBy = ""
    """Who or what took a call that went out, where somebody listened for that."""


@dataclass(frozen=True)
class Page:
    """Some calls, the latest first, and how to ask for the next ones ('': there are none)."""

    rows: list[CallRow]
    next_cursor: str


@dataclass(frozen=True)
class End:
    """How one call ended."""

    id: str
    reason: str
    detail: str = ""
    at: datetime = field(default_factory=now)


class AlreadyKnown(VoicebotError):
    """There is a call with this id, or with this id of the other side's; `row` is that call."""

    def __init__(self, row: CallRow) -> None:
        super().__init__(f"the call {row.outside_id or row.id} is known already.")
        self.row = row


class Calls:
    """All methods raise Unavailable, within two seconds, when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expect(
        self,
        *,
        id: str,
        agent: str,
        transport: Transport,
        caller: str = "",
        callee: str = "",
        outside_id: str = "",
        parameters: Mapping[str, str] | None = None,
        key_id: str = "",
        ttl_s: float = 60,
        direction: Direction = "inbound",
        machine: str = "",
        worker: int = 0,
    ) -> tuple[CallRow, str]:
        """A call that will come, and the ticket that opens its stream once, within `ttl_s`. Only its hash is kept.

        `machine` and `worker` say who makes a call that goes out. Raises AlreadyKnown when `outside_id` (or `id`) is
        known.
        """
        created = now()
        row = CallRow(
            id,
            agent,
            transport,
            "expected",
            caller,
            callee,
            outside_id,
            parameters or {},
            machine,
            worker,
            key_id=key_id,
            created_at=created,
            expires_at=created + timedelta(seconds=ttl_s),
            direction=direction,
        )
        ticket = secrets.token_urlsafe(32)
        return await self._insert(row, _hash(ticket)), ticket

    async def renew(self, id: str, ttl_s: float = 60) -> str | None:
        """Another ticket for a call that is still expected, instead of the one before; None when it is not any more."""
        ticket = secrets.token_urlsafe(32)

        async def work(connection: AsyncConnection) -> bool:
            renewed = await connection.execute(
                update(table)
                .where(table.c.id == id, table.c.state == "expected")
                .values(ticket_hash=_hash(ticket), expires_at=now() + timedelta(seconds=ttl_s))
            )
            return renewed.rowcount == 1

        return ticket if await self._database.run(work) else None

    async def begin(self, row: CallRow) -> CallRow:
        """A call without a ticket is live from now on. Returns it as it is kept; raises AlreadyKnown."""
        return await self._insert(replace(row, state="live", started_at=row.started_at or now()))

    async def expected(self, ticket: str) -> CallRow | None:
        """The call that this ticket is good for, if it still is; it stays so."""
        waits = (table.c.ticket_hash == _hash(ticket), table.c.state == "expected", table.c.expires_at > now())
        return await self._one(and_(*waits))

    async def claim(self, ticket: str, *, machine: str, worker: int) -> CallRow | None:
        """The expected call of this ticket, live from now on; None when there is none, any more or in time."""
        its_hash, moment = _hash(ticket), now()

        async def work(connection: AsyncConnection) -> CallRow | None:
            claimed = await connection.execute(
                update(table)
                .where(table.c.ticket_hash == its_hash, table.c.state == "expected", table.c.expires_at > moment)
                .values(state="live", machine=machine, worker=worker, started_at=moment)
            )
            if claimed.rowcount != 1:
                return None
            found = await connection.execute(select(table).where(table.c.ticket_hash == its_hash))
            return call_of(found.one())

        return await self._database.run(work)

    async def ended(self, id: str, reason: str, detail: str = "") -> None:
        """Idempotent: a call that has ended, or is lost, stays as it is."""
        await self.all_ended([End(id, reason, detail)])

    async def all_ended(self, ends: Sequence[End]) -> None:
        """Several at once, in one transaction and, with PostgreSQL, in one trip."""
        values = [
            {"ended": end.id, "ended_at": end.at, "reason": end.reason, "detail": end.detail[:MAX_DETAIL]}
            for end in ends
        ]
        await self._database.run(lambda connection: connection.execute(_END, values))

    async def expire(self) -> int:
        """Ends the calls whose stream nobody opened in time; how many there were."""
        moment = now()

        async def work(connection: AsyncConnection) -> int:
            done = await connection.execute(
                update(table)
                .where(table.c.state == "expected", table.c.expires_at <= moment)
                .values(state="ended", ended_at=moment, reason=_why_unopened, detail="nobody opened its stream in time")
            )
            return done.rowcount

        return await self._database.run(work)

    async def lost(self, machine: str, worker: int | None, why: str) -> list[CallRow]:
        """The live calls of a worker that died (None: of the whole machine) are lost from now on; returns them."""
        live = [table.c.state == "live", table.c.machine == machine]
        if worker is not None:
            live.append(table.c.worker == worker)

        async def work(connection: AsyncConnection) -> list[CallRow]:
            ids = list((await connection.scalars(select(table.c.id).where(*live))).all())
            await connection.execute(
                update(table)
                .where(table.c.id.in_(ids), table.c.state == "live")
                .values(state="lost", ended_at=now(), reason="lost", detail=why[:MAX_DETAIL])
            )
            lost = await connection.execute(select(table).where(table.c.id.in_(ids), table.c.state == "lost"))
            return [call_of(row) for row in lost]

        return await self._database.run(work)

    async def get(self, id: str) -> CallRow | None:
        return await self._one(table.c.id == id)

    async def known_outside(self, outside_id: str) -> CallRow | None:
        """By the id that it has in the telephone network; '' is none."""
        return await self._one(table.c.outside_id == outside_id) if outside_id else None

    async def list(
        self, *, agent: str | None = None, state: str | None = None, before: str | None = None, limit: int = 50
    ) -> Page:
        """The latest first; `before` is the `next_cursor` of the page before. Raises BadInput for another cursor."""
        limit = max(1, min(limit, MAX_PAGE))
        query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit + 1)
        if agent is not None:
            query = query.where(table.c.agent == agent)
        if state is not None:
            query = query.where(table.c.state == state)
        if before:
            at, last = _read_cursor(before)
            query = query.where(tuple_(table.c.created_at, table.c.id) < tuple_(literal(at, Moment), literal(last)))

        async def work(connection: AsyncConnection) -> list[CallRow]:
            return [call_of(row) for row in await connection.execute(query)]

        rows = await self._database.run(work)
        return Page(rows[:limit], _cursor(rows[limit - 1]) if len(rows) > limit else "")

    async def _insert(self, row: CallRow, ticket_hash: str | None = None) -> CallRow:
        row = _storable(row)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(table).values(**asdict(row), ticket_hash=ticket_hash))

        try:
            await self._database.run(work)
        except IntegrityError:
            known = row.outside_id and await self._one(table.c.outside_id == row.outside_id)
            if known := known or await self.get(row.id):
                raise AlreadyKnown(known) from None
            raise
        return row

    async def _one(self, condition: Any) -> CallRow | None:
        async def work(connection: AsyncConnection) -> CallRow | None:
            found = (await connection.execute(select(table).where(condition))).one_or_none()
            return call_of(found) if found else None

        return await self._database.run(work)


def _storable(row: CallRow) -> CallRow:
    """As it will be read again, whatever its words came from."""
    words: dict[str, Any] = {name: clean(word)[:MAX_TEXT] for name, word in vars(row).items() if isinstance(word, str)}
    return replace(row, **words, parameters={clean(name): clean(value) for name, value in row.parameters.items()})


def call_of(row: Row[Any]) -> CallRow:
    """One row of the table."""
    kept = dict(row._mapping)
    del kept["ticket_hash"]
    return CallRow(**kept)


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()


def _cursor(row: CallRow) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()} {row.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, _, last = base64.b64decode(padded, altchars="-_", validate=True).decode().partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no zone")
    except (binascii.Error, ValueError):
        raise BadInput(
            "'before' is not a cursor that this server gave. Leave it out to begin with the latest."
        ) from None
    return moment, last
