"""Tables are made and brought up to date before a server starts; a server looks whether that was done."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from voicebot.errors import BadInput, MissingExtra, Unavailable

from .tables import VERSION, VERSION_TABLE, metadata
from .url import Where

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_S = 60
"""How long one process waits for another that is at it."""
_HEADER = b"SQLite format 3\0"
_LOCK = 0x766F6963  # 'voic': the number of our advisory lock in PostgreSQL


def migrate(url: str) -> None:
    """Makes the tables, or brings them up to date; from several processes at once, one does it and the others wait.

    Raises BadInput for a URL that is none, and Unavailable for a database that cannot be reached or is not ours.
    """
    where = Where.of(url)
    try:
        if _is_current(where):
            return  # servers that run are not held up by one that starts
        upgrade = _alembic()
        with _alone(where) as connection:
            _may_upgrade(connection, where)
            upgrade(connection)
    except PermissionError as error:
        raise BadInput(f"may not write {where}: {error.strerror}.") from None
    except (SQLAlchemyError, OSError) as error:
        raise where.unreachable(error) from None


def needs_driver() -> None:
    """Raises MissingExtra when PostgreSQL's client is not installed."""
    try:
        import psycopg  # noqa: F401 - without a libpq it is there and cannot be imported
    except ImportError:
        raise MissingExtra("PostgreSQL's client", "postgres") from None


def wrong_with(connection: Connection) -> str:
    """Why this version of voicebot cannot work with these tables, as the end of a sentence; '': it can."""
    found = _version(connection)
    if found == VERSION:
        return ""
    if found is None:
        return "has no tables of voicebot yet: 'voicebot serve' and 'voicebot keys' make them"
    if found in _known():
        return f"has the tables of an older voicebot ({found}, needed: {VERSION}): start 'voicebot serve' again"
    return f"has tables that this voicebot does not know ({found}, known up to {VERSION}): a newer one wrote them"


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - the name is a constant
    return None if found is None else str(found)


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _may_upgrade(connection: Connection, where: Where) -> None:
    found = _version(connection)
    if found is not None and found not in _known():
        raise Unavailable(f"{where} {wrong_with(connection)}.")
    taken = [table for table in metadata.tables if found is None and inspect(connection).has_table(table)]
    if taken:
        raise Unavailable(f"{where} has a table {taken[0]} that no voicebot made. Name another database.")


def _is_current(where: Where) -> bool:
    """Without a lock, and without making anything. What is wrong there is for the one who has the lock to tell."""
    if where.file is None:
        needs_driver()
    elif not where.file.is_file() or not os.access(where.file, os.W_OK):
        return False
    engine = create_engine(where.engine_url(), connect_args={"timeout" if where.file else "connect_timeout": 5})
    try:
        with engine.connect() as connection:
            return _version(connection) == VERSION
    except SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def _alembic() -> Callable[[Connection], None]:
    """Brings a database up to date. Loaded before others have to wait for it."""
    try:
        from alembic import command
        from alembic.config import Config
    except ModuleNotFoundError:
        raise MissingExtra("Alembic", "server") from None

    def upgrade(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        logging.getLogger("alembic").setLevel(logging.WARNING)
        command.upgrade(config, "head")

    return upgrade


@contextmanager
def _alone(where: Where) -> Iterator[Connection]:
    """A connection in a transaction that no other process's migration runs beside."""
    if where.file is None:
        needs_driver()
        engine = create_engine(where.engine_url(), connect_args={"connect_timeout": 5})
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            yield connection
        engine.dispose()
        return
    _make_file(where.file)
    try:
        with FileLock(f"{where.file}.lock", timeout=WAIT_S), _sqlite(where) as connection:
            yield connection
    except Timeout:
        raise Unavailable(f"another process has been at work on {where.file} for {WAIT_S} s.") from None


def _make_file(file: Path) -> None:
    """Empty, where there is none. What is in it is not for others to read, nor for git."""
    if file.exists():
        with file.open("rb") as existing:
            if existing.read(len(_HEADER)) not in (_HEADER, b""):
                raise Unavailable(f"{file} is no SQLite database. Name another file.")
        return
    if not file.parent.exists():
        file.parent.mkdir(parents=True, mode=0o700)
    if file.parent.name == ".voicebot" and not (ignore := file.parent / ".gitignore").exists():
        ignore.write_text("*\n")
    file.touch(mode=0o600)


@contextmanager
def _sqlite(where: Where) -> Iterator[Connection]:
    """In WAL readers do not wait for a writer; the file remembers it."""
    engine = create_engine(where.engine_url(), connect_args={"timeout": WAIT_S, "isolation_level": None})
    event.listen(engine, "connect", _write_ahead)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _write_ahead(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
