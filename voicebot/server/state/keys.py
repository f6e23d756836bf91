"""API keys: who may do what. A secret is shown once, when it is made; what is kept is its SHA-256.

    vb_k3x9p2m4q7ab_Jx0…        'vb', the key's id, 43 characters of 256 random bits

A fast hash is right here, unlike for passwords: nobody guesses 256 random bits, and each request is checked.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.errors import BadInput, Unavailable, did_you_mean

from .database import Database
from .tables import keys as table
from .tables import now

SCOPES = {
    "agents:read": "list and read agents",
    "agents:write": "create, replace and delete agents",
    "calls:read": "list and read calls, their events and recordings",
    "calls:write": "create, end, transfer calls and speak in them",
    "calls:stream": "open the audio stream of a call",
    "metrics:read": "read the metrics",
    "phone:read": "read the account's telephone numbers, and those that can be bought",
    "phone:write": "buy, point and release telephone numbers",
    "server:drain": "have the server finish its calls and stop",
}
FRESH_S = 5.0
"""How long a worker believes what it read of a key: a revoked one is refused everywhere after this time."""
USED_EVERY_S = 60.0
"""How exact `last_used_at` is: a key in use is written once in this time, not on each request."""
REMEMBERED = 1024
"""Keys in memory; unknown ids count too, so that trying them fills nothing."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SECRET = re.compile(r"vb_([a-z0-9]{12})_[A-Za-z0-9_-]{43}")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Key:
    """What is known of one key. Times are aware and in UTC."""

    id: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    successor: str = ""
    """The id of the key that replaced it, or ''."""

    @property
    def state(self) -> str:
        """'active', 'replaced' (valid until it expires), 'expired' or 'revoked'."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= now():
            return "expired"
        return "replaced" if self.successor else "active"

    @property
    def valid(self) -> bool:
        return self.state in ("active", "replaced")


@dataclass(frozen=True)
class _Known:
    """What one worker read of an id, and when (on the loop's clock)."""

    read_s: float
    key: Key | None
    secret_hash: str = ""


class Keys:
    """All methods raise Unavailable, within two seconds, when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._reading: dict[str, asyncio.Task[_Known]] = {}
        self._noting: set[asyncio.Task[None]] = set()

    async def create(self, name: str, scopes: Iterable[str], expires_at: datetime | None = None) -> tuple[Key, str]:
        """The key and its secret, which nobody can read again. Raises BadInput for a name or a scope that cannot be."""
        key = Key(_new_id(), _checked_name(name), _checked_scopes(scopes), now(), expires_at)
        if expires_at is not None and expires_at <= key.created_at:
            raise BadInput("the key would have expired already. Name a time to come.")
        secret = _new_secret(key.id)
        try:
            await self._database.run(lambda connection: _insert(connection, key, secret))
        except IntegrityError:
            raise BadInput(f"there is a key '{name}' already: rotate it, revoke it, or choose another name.") from None
        return key, secret

    async def check(self, secret: str) -> Key | None:
        """The valid key of this secret, or None. From memory for up to FRESH_S."""
        shaped = _SECRET.fullmatch(secret)
        if shaped is None:
            return None
        known = await self._read(shaped[1])
        same = hmac.compare_digest(_hash(secret), known.secret_hash or _hash(""))
        if not same or known.key is None or not known.key.valid:
            return None
        self._used(known.key.id)
        return known.key

    async def list(self) -> Sequence[Key]:
        """All, revoked and expired ones too, by name and age."""

        async def work(connection: AsyncConnection) -> Sequence[Key]:
            return [_key(row) for row in await connection.execute(select(table).order_by("name", "created_at"))]

        return await self._database.run(work)

    async def revoke(self, id_or_name: str) -> Sequence[Key]:
        """The key of this id, or all of this name, are refused by every worker within FRESH_S. Returns them."""
        found = [key for key in await self._named(id_or_name) if not key.revoked_at]
        moment = now()
        await self._database.run(
            lambda connection: connection.execute(
                update(table).where(table.c.id.in_([key.id for key in found])).values(revoked_at=moment)
            )
        )
        for key in found:
            self._known.pop(key.id, None)
        return [replace(key, revoked_at=moment) for key in found]

    async def rotate(self, id_or_name: str, overlap_s: float) -> tuple[Key, str]:
        """A new key of the same name and scopes; the old one stays valid for `overlap_s` and no longer.

        A key that was to expire after some time is followed by one that will, after as long a time.
        """
        old = _current(await self._named(id_or_name), id_or_name)
        moment = now()
        life = old.expires_at - old.created_at if old.expires_at else None
        new = Key(_new_id(), old.name, old.scopes, moment, moment + life if life else None)
        secret = _new_secret(new.id)
        until = moment + timedelta(seconds=overlap_s)
        until = min(until, old.expires_at) if old.expires_at else until

        async def work(connection: AsyncConnection) -> bool:
            replaced = await connection.execute(
                update(table)
                .where(table.c.id == old.id, table.c.successor == "", table.c.revoked_at.is_(None))
                .values(successor=new.id, expires_at=until)
            )
            if replaced.rowcount == 1:
                await _insert(connection, new, secret)
            return replaced.rowcount == 1

        if not await self._database.run(work):
            raise BadInput(f"the key '{id_or_name}' was rotated or revoked by someone else just now.")
        self._known.pop(old.id, None)
        return new, secret

    async def close(self) -> None:
        """What is being written is written."""
        await asyncio.gather(*self._noting, *self._reading.values(), return_exceptions=True)

    async def _named(self, id_or_name: str) -> Sequence[Key]:
        everything = await self.list()
        found = [key for key in everything if key.id == id_or_name]
        found = found or [key for key in everything if key.name == id_or_name]
        if not found:
            raise BadInput(f"there is no key '{id_or_name}'.{did_you_mean(id_or_name, {k.name for k in everything})}")
        return found

    async def _read(self, id: str) -> _Known:
        """From memory while it is fresh; else once from the database, however many ask."""
        known = self._known.get(id)
        if known and asyncio.get_running_loop().time() - known.read_s < FRESH_S:
            return known
        if id not in self._reading:
            task = self._reading[id] = asyncio.create_task(self._load(id))
            task.add_done_callback(lambda done: self._read_done(id, done))
        return await asyncio.shield(self._reading[id])

    def _read_done(self, id: str, task: asyncio.Task[_Known]) -> None:
        del self._reading[id]
        if not task.cancelled():
            task.exception()  # those who asked may have gone: it is no unheard error

    async def _load(self, id: str) -> _Known:
        read_s = asyncio.get_running_loop().time()

        async def work(connection: AsyncConnection) -> _Known:
            row = (await connection.execute(select(table).where(table.c.id == id))).one_or_none()
            return _Known(read_s, _key(row), row.secret_hash) if row else _Known(read_s, None)

        known = await self._database.run(work)
        self._known[id] = known
        self._known.move_to_end(id)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _used(self, id: str) -> None:
        """Noted now and then, behind the request's back."""
        known, moment = self._known.get(id), now()
        if known is None or known.key is None:
            return
        last = known.key.last_used_at
        if last and moment - last < timedelta(seconds=USED_EVERY_S):
            return
        self._known[id] = replace(known, key=replace(known.key, last_used_at=moment))
        task = asyncio.create_task(self._note(id, moment))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, id: str, moment: datetime) -> None:
        late = or_(table.c.last_used_at.is_(None), table.c.last_used_at < moment)
        try:
            await self._database.run(
                lambda connection: connection.execute(
                    update(table).where(table.c.id == id, late).values(last_used_at=moment)
                )
            )
        except Unavailable:
            return  # the next use is noted; requests themselves say that the database is away


async def _insert(connection: AsyncConnection, key: Key, secret: str) -> None:
    kept = {"scopes": " ".join(sorted(key.scopes)), "secret_hash": _hash(secret)}
    times = {"created_at": key.created_at, "expires_at": key.expires_at}
    await connection.execute(insert(table).values(id=key.id, name=key.name, successor="", **kept, **times))


def _key(row: Row[Any]) -> Key:
    kept = dict(row._mapping)
    del kept["secret_hash"]
    return Key(**kept | {"scopes": frozenset(kept["scopes"].split())})


def _current(keys: Sequence[Key], asked: str) -> Key:
    current = [key for key in keys if not key.revoked_at and not key.successor]
    if not current:
        raise BadInput(f"the key '{asked}' is {keys[-1].state} and cannot be rotated. Create a new one.")
    return current[-1]


def _new_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def _new_secret(id: str) -> str:
    return f"vb_{id}_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"'{name}' is no name for a key: up to 64 of a-z, 0-9, '-' and '_', not beginning with those two."
        )
    return name


def _checked_scopes(scopes: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(scopes)
    for scope in sorted(chosen - SCOPES.keys()):
        raise BadInput(f"there is no scope '{scope}'.{did_you_mean(scope, SCOPES)}")
    if not chosen:
        raise BadInput(f"a key needs a scope, one or more of: {', '.join(SCOPES)}.")
    return chosen
