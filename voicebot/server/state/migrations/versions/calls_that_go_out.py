"""Calls that go out, and batches of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name, before in (("direction", "inbound"), ("answered_by", "")):
        op.add_column("voicebot_calls", sa.Column(name, sa.String, nullable=False, server_default=before))
    op.create_table(
        "voicebot_batches",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
    )
    op.create_table(
        "voicebot_dials",
        sa.Column("batch", sa.String, primary_key=True),
        sa.Column("number", sa.String, primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", _AT),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("dialled_at", _AT),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
    )
    op.create_index("voicebot_dials_in_state", "voicebot_dials", ["batch", "state", "place"])


def downgrade() -> None:
    op.drop_table("voicebot_dials")
    op.drop_table("voicebot_batches")
    for name in ("answered_by", "direction"):
        op.drop_column("voicebot_calls", name)
