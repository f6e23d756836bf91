"""The tables: made once whoever asks at the same moment, what others made is left alone, and no password is shown."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from tests.doubles.state_processes import at_once, migrated
from voicebot.errors import BadInput, Unavailable
from voicebot.server.settings import Settings
from voicebot.server.state import State, default_url, migrate, schema
from voicebot.server.state.tables import VERSION, VERSION_TABLE, metadata
from voicebot.server.state.url import Where


def execute(url: str, statement: str) -> None:
    engine = create_engine(Where.of(url).engine_url())
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_processes_that_migrate_at_once_make_the_tables_once(url: str) -> None:
    assert at_once(migrated, *[(url,)] * 4) == ["migrated"] * 4
    migrate(url)


def test_tables_that_are_up_to_date_are_looked_at_and_nobody_waits(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that starts must not hold up those that run, nor wait for what they write."""
    migrate(url)
    monkeypatch.setattr(schema, "WAIT_S", 0.2)
    with schema._alone(Where.of(url)):  # another process that is at it, or writes
        migrate(url)


def test_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    migrate(url)
    engine = create_engine(Where.of(url).engine_url())
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "version_table": VERSION_TABLE,
                "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
            },
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_heads() == [VERSION]


async def test_a_database_without_tables_is_not_opened(url: str) -> None:
    if url.startswith("sqlite"):
        for _ in range(2):  # the first makes no empty file
            with pytest.raises(Unavailable, match="there is no /"):
                await State.open(url)
        sqlite3.connect(url.removeprefix("sqlite:///")).execute("CREATE TABLE other (x)").connection.close()
    with pytest.raises(Unavailable, match="has no tables of voicebot yet"):
        await State.open(url)


async def test_tables_of_a_newer_version_are_left_alone(url: str) -> None:
    migrate(url)
    execute(url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(Unavailable, match=r"\(9999, known up to \d+\): a newer one wrote them"):
        await State.open(url)
    with pytest.raises(Unavailable, match="a newer one wrote them"):
        migrate(url)


def test_what_another_program_keeps_there_stays(url: str) -> None:
    migrate(url)
    execute(url, f"DROP TABLE {VERSION_TABLE}")
    with pytest.raises(Unavailable, match="has a table voicebot_calls that no voicebot made"):
        migrate(url)


def test_a_migration_of_an_own_alembic_is_no_hindrance(url: str) -> None:
    """Another application may keep its version in the same database."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).touch()
    execute(url, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    migrate(url)
    migrate(url)


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("buy milk, and some bread")
    with pytest.raises(Unavailable, match=r"notes\.txt is no SQLite database"):
        migrate(f"sqlite:///{file}")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "ä?#.db"])
async def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    where = f"sqlite:///{tmp_path}/{name}".replace("?", "%3F")
    migrate(where)
    async with await State.open(where) as kept:
        assert (await kept.calls.list()).rows == []


SECRETS = [
    "postgresql://me:gehe1m@127.0.0.1:1/db",
    "postgresql://me@127.0.0.1:1/db?password=gehe1m",
    "postgres://me:gehe1m@nowhere.invalid:1/db",
    "postgresql://me:gehe1m@127.0.0.1:port/db",
    "mysql://me:gehe1m@127.0.0.1/db",
    "sqlite://me:gehe1m@/:memory:",
    "gehe1m",
]


@pytest.mark.parametrize("url", SECRETS)
async def test_a_password_is_in_no_sentence_and_in_no_traceback(url: str) -> None:
    shown = []
    for attempt in (lambda: asyncio.to_thread(migrate, url), lambda: State.open(url)):
        try:
            await attempt()
        except (BadInput, Unavailable) as error:
            shown.append("".join(traceback.format_exception(error)))
    assert len(shown) == 2
    assert "gehe1m" not in "".join(shown)


def test_a_project_keeps_its_state_where_git_does_not_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOICEBOT_DATABASE", raising=False)
    settings = Settings(project=tmp_path)
    migrate(default_url(settings))
    assert (tmp_path / ".voicebot" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / ".voicebot" / "state.db").stat().st_mode & 0o077 == 0
    (tmp_path / ".env").write_text("VOICEBOT_DATABASE=postgresql://db/voicebot\n")
    assert default_url(settings) == "postgresql://db/voicebot"
    assert default_url(Settings(project=tmp_path, database="sqlite:///x.db")) == "sqlite:///x.db"


HIDDEN = """
import sys
sys.modules["sqlalchemy"] = None
import voicebot.server
from voicebot.commands import run
sys.exit(run(["keys", "list", "--database", "sqlite:///x.db"]))
"""


def test_without_the_extra_the_command_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", HIDDEN], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert (
        done.stderr
        == 'error: the server\'s database is not installed. Install it with: pip install "voicebot[server]"\n'
    )
