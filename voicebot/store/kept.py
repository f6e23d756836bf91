"""The facts of all calls of a project, kept between questions: only calls that are new or have grown are read again.

    <project>/.voicebot/facts-<definition>.parquet     may be deleted at any time

The events of each call remain the truth. What is kept carries the size and time of the log that it was made from, and
in its name what decides how: this version, the definitions and the prices. A change of any of them makes all anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import duckdb
from loguru import logger

from voicebot import __version__
from voicebot.money.prices import Prices, prices
from voicebot.store import facts, views
from voicebot.store.calls import EVENTS

FOLDER = ".voicebot"
BATCH = 20_000
"""Calls that are read at a time: what they say lies on the disk and in memory once more meanwhile."""

Stamp = tuple[int, int]
"""Size in bytes and time of the last change in ns."""


def connect(calls: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory database with a table `facts`, one row a call of the folder `calls`.

    It has no access to files. Raises BadInput for a wrong prices.yaml in the project.
    """
    table = prices(calls.parent)
    db = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        _load(db, calls, table)
        db.execute("set enable_external_access = false")
        db.execute("set lock_configuration = true")
    except BaseException:
        db.close()
        raise
    return db


def _load(db: duckdb.DuckDBPyConnection, calls: Path, table: Prices) -> None:
    file = calls.parent / FOLDER / f"facts-{_definition(table)}.parquet"
    now = stamps(calls)
    known = _read(db, file)
    stale = sorted(name for name, stamp in now.items() if known.get(name) != stamp)
    gone = [name for name in known if now.get(name) != known[name]]
    if not known:
        _make(db, calls, [], now, table)  # an empty table with all columns
    db.execute("delete from kept where call in (select unnest(?))", [gone])
    for start in range(0, len(stale), BATCH):
        _make(db, calls, stale[start : start + BATCH], now, table)
    if stale or gone:
        _save(db, file)
    db.execute("create table facts as select * exclude (log_bytes, changed_ns) from kept where agent is not null")
    db.execute("drop table kept")


def _definition(table: Prices) -> str:
    parts = (__version__, views.ANSWERS, facts.definition(), repr((facts.FIELDS, facts.TYPES)), repr(table))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def stamps(calls: Path) -> dict[str, Stamp]:
    """Of all calls that have a log."""
    found: dict[str, Stamp] = {}
    try:
        with os.scandir(calls) as folders:
            for folder in folders:
                try:
                    log = os.stat(os.path.join(folder.path, EVENTS))
                except OSError:  # no call, or gone by now
                    continue
                found[folder.name] = (log.st_size, log.st_mtime_ns)
    except FileNotFoundError:
        pass  # a project without any calls yet
    return found


def _read(db: duckdb.DuckDBPyConnection, file: Path) -> dict[str, Stamp]:
    """What is kept, into a table `kept`; nothing when there is none or it cannot be read."""
    if not file.is_file():
        return {}
    try:
        db.execute("create table kept as from read_parquet(?)", [str(file)])
        rows = db.execute("select call, log_bytes, changed_ns from kept").fetchall()
    except duckdb.Error as error:
        logger.debug(f"{file} is made again: {error}")
        db.execute("drop table if exists kept")
        return {}
    return {call: (size, changed_ns) for call, size, changed_ns in rows}


def _make(
    db: duckdb.DuckDBPyConnection, calls: Path, names: list[str], stamps: Mapping[str, Stamp], table: Prices
) -> None:
    """The facts of these calls, into the table `kept`, by a database of their own that is dropped again."""
    db.execute("attach ':memory:' as work")
    db.execute("use work")
    views.load_events(db, [calls / name / EVENTS for name in names], facts.FIELDS, facts.TYPES)
    db.execute(views.ANSWERS)
    facts.create(db, table, at_once=True)
    sizes, times = [stamps[name][0] for name in names], [stamps[name][1] for name in names]
    db.execute("create table stamps (number integer, name varchar, log_bytes bigint, changed_ns bigint)")
    numbers = list(range(len(names)))
    db.execute("insert into stamps select unnest(?), unnest(?), unnest(?), unnest(?)", [numbers, names, sizes, times])
    db.execute(
        "create table made as select f.* replace (s.name as call), s.log_bytes, s.changed_ns "
        "from facts f join stamps s on f.call = s.number"
    )
    db.execute("create table if not exists memory.kept as from made limit 0")
    db.execute("insert into memory.kept from made")
    db.execute("use memory")
    db.execute("detach work")


def _save(db: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Whole or not at all; a disk that takes nothing costs the next question some time."""
    aside = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(exist_ok=True)
        db.execute("copy kept to '" + str(aside).replace("'", "''") + "' (format parquet)")
        aside.replace(file)
        for older in set(file.parent.glob("facts-*.parquet")) - {file}:
            older.unlink(missing_ok=True)
    except (OSError, duckdb.Error) as error:
        logger.debug(f"what calls come to cannot be kept: {error}")
        with suppress(OSError):
            aside.unlink(missing_ok=True)
