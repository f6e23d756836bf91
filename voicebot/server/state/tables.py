"""The tables of the state, as they are now. How older ones become these: migrations/."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import JSON, Column, DateTime, Dialect, Index, Integer, MetaData, String, Table, text
from sqlalchemy.types import TypeDecorator

VERSION = "0002"
"""The newest migration; a test holds it against the files."""
VERSION_TABLE = "voicebot_schema"


def now() -> datetime:
    return datetime.now(UTC)


def clean(words: str) -> str:
    """Text that both databases take: no NUL, no half of a surrogate pair."""
    return words.replace("\0", "").encode("utf-8", "replace").decode()


class Words(TypeDecorator[str]):
    """Text from anywhere; what cannot be stored is left out rather than refused."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else clean(value)


class Moment(TypeDecorator[datetime]):
    """An aware time, in UTC on both databases; SQLite itself knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

calls = Table(
    "voicebot_calls",
    metadata,
    Column("id", Words, primary_key=True),
    Column("agent", Words, nullable=False),
    Column("transport", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("caller", Words, nullable=False),
    Column("callee", Words, nullable=False),
    Column("outside_id", Words, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("machine", Words, nullable=False),
    Column("worker", Integer, nullable=False),
    Column("key_id", Words, nullable=False),
    Column("ticket_hash", Words),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("reason", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("direction", Words, nullable=False),
    Column("answered_by", Words, nullable=False),
    Index("voicebot_calls_newest", "created_at", "id"),
    Index("voicebot_calls_of_agent", "agent", "created_at", "id"),
    Index("voicebot_calls_in_state", "state", "created_at", "id"),
    Index("voicebot_calls_ticket", "ticket_hash", unique=True),
    Index(
        "voicebot_calls_outside",
        "outside_id",
        unique=True,
        sqlite_where=text("outside_id != ''"),
        postgresql_where=text("outside_id != ''"),
    ),
)

keys = Table(
    "voicebot_keys",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("secret_hash", Words, nullable=False),
    Column("scopes", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    Column("successor", Words, nullable=False),
    Index(
        "voicebot_keys_current",
        "name",
        unique=True,
        sqlite_where=text("revoked_at IS NULL AND successor = ''"),
        postgresql_where=text("revoked_at IS NULL AND successor = ''"),
    ),
)
"""`scopes` is separated by spaces. `successor` is the key that replaced this one, which has then a time to expire."""

batches = Table(
    "voicebot_batches",
    metadata,
    Column("name", Words, primary_key=True),
    Column("agent", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""`source` is the file that its numbers came from."""

dials = Table(
    "voicebot_dials",
    metadata,
    Column("batch", Words, primary_key=True),
    Column("number", Words, primary_key=True),
    Column("place", Integer, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Moment),
    Column("call_id", Words, nullable=False),
    Column("dialled_at", Moment),
    Column("outcome", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Index("voicebot_dials_in_state", "batch", "state", "place"),
)
"""One number of one batch: a number is in a batch once. `state` is waiting, dialling or done."""
