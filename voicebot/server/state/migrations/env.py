"""What Alembic runs: our connection, our own table of versions, beside whatever else is in the database."""

from __future__ import annotations

from alembic import context

from voicebot.server.state.tables import VERSION_TABLE, metadata


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if hasattr(context, "config"):  # there is one while Alembic runs this file, and none when it is merely imported
    run()
