"""The first tables: calls and keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "voicebot_calls",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("transport", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("caller", sa.String, nullable=False),
        sa.Column("callee", sa.String, nullable=False),
        sa.Column("outside_id", sa.String, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("machine", sa.String, nullable=False),
        sa.Column("worker", sa.Integer, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("ticket_hash", sa.String),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT),
        sa.Column("started_at", _AT),
        sa.Column("ended_at", _AT),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
    )
    op.create_index("voicebot_calls_newest", "voicebot_calls", ["created_at", "id"])
    op.create_index("voicebot_calls_of_agent", "voicebot_calls", ["agent", "created_at", "id"])
    op.create_index("voicebot_calls_in_state", "voicebot_calls", ["state", "created_at", "id"])
    op.create_index("voicebot_calls_ticket", "voicebot_calls", ["ticket_hash"], unique=True)
    _unique_where("voicebot_calls_outside", "voicebot_calls", "outside_id", "outside_id != ''")
    op.create_table(
        "voicebot_keys",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("secret_hash", sa.String, nullable=False),
        sa.Column("scopes", sa.String, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT),
        sa.Column("last_used_at", _AT),
        sa.Column("revoked_at", _AT),
        sa.Column("successor", sa.String, nullable=False),
    )
    _unique_where("voicebot_keys_current", "voicebot_keys", "name", "revoked_at IS NULL AND successor = ''")


def downgrade() -> None:
    op.drop_table("voicebot_keys")
    op.drop_table("voicebot_calls")


def _unique_where(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], unique=True, sqlite_where=where, postgresql_where=where)
