from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from loguru import logger

from tests.doubles import databases

pytest.importorskip("sqlalchemy", reason="the server's database is not installed (extra: server)")

from voicebot.server.state import State, migrate


@pytest.fixture(params=databases.KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each test runs on both databases; this is the URL of an empty one."""
    return databases.empty(request.param, tmp_path)


@pytest.fixture
async def kept(url: str) -> AsyncIterator[State]:
    migrate(url)
    async with await State.open(url) as state:
        yield state


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What the log says, a line each: LEVEL sentence."""
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line).strip()), level="INFO", format="{level} {message}")
    yield lines
    logger.remove(sink)
