"""The state's two databases, empty, and what may befall them while calls run."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.doubles import postgres

KINDS = ("sqlite", "postgres")


def empty(kind: str, folder: Path) -> str:
    """The URL of a new one. Skips the test where there is no PostgreSQL."""
    if kind == "postgres":
        pytest.importorskip("psutil", reason="a program that the tests freeze is found with psutil")
        return postgres.database()
    return f"sqlite:///{folder / 'state.db'}"


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """It accepts connections and answers nothing: another process's lock, or a server that is stopped."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    processes = _processes(url)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def refusing(url: str) -> Iterator[None]:
    """A PostgreSQL that has dropped all its connections and takes no new ones, as when it restarts."""
    import psycopg

    name = urlsplit(url).path.strip("/")
    with psycopg.connect(url.replace(f"/{name}?", "/postgres?"), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        admin.execute(drop, [name])
        try:
            yield
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def _processes(url: str) -> list[int]:
    import psutil

    folder = Path(parse_qs(urlsplit(url).query)["host"][0])
    first = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
    return [process.pid for process in (first, *first.children(recursive=True))]
