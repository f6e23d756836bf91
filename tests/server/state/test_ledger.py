"""The ledger: calls end whatever the database does, and what ended is written when it is back."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from tests.doubles import databases
from tests.doubles.eventually import eventually
from voicebot.server.state import CallRow, Ledger, State, ledger


async def begin(kept: State, count: int) -> list[str]:
    ids = [f"call-{number}" for number in range(count)]
    for name in ids:
        await kept.calls.begin(CallRow(name, "ava", "websocket"))
    return ids


async def states(kept: State) -> list[str]:
    return [row.state for row in (await kept.calls.list(limit=200)).rows]


async def all_ended(kept: State) -> bool:
    return set(await states(kept)) == {"ended"}


async def test_what_ended_is_written_by_itself(kept: State) -> None:
    ids = await begin(kept, 150)
    book = Ledger(kept)
    for name in ids:
        book.ended(name, "caller_hung_up", "")
    await eventually(lambda: all_ended(kept))
    await book.close()


async def test_while_the_database_is_away_no_call_waits_and_all_is_written_after_it(
    kept: State, url: str, said: list[str]
) -> None:
    ids = await begin(kept, 30)
    book = Ledger(kept)
    with databases.frozen(url):
        begun = time.perf_counter()
        for name in ids:
            book.ended(name, "caller_hung_up", "")
        assert time.perf_counter() - begun < 0.1
        await eventually(lambda: len(said) == 1)
        ended_by = datetime.now(UTC)
    await eventually(lambda: len(said) == 2)
    await book.close()
    assert await all_ended(kept)
    assert all(row.ended_at and row.ended_at < ended_by for row in (await kept.calls.list()).rows)
    assert [line.split()[0] for line in said] == ["WARNING", "INFO"]
    assert "Calls go on" in said[0]


async def test_what_is_too_much_to_keep_is_counted_and_said_once(
    kept: State, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "KEPT", 10)
    ids = await begin(kept, 25)
    book = Ledger(kept)
    for name in ids:
        book.ended(name, "caller_hung_up", "")
    await book.close()
    assert book.dropped == 15
    assert (await states(kept)).count("live") == 15
    assert len([line for line in said if "dropped from now on" in line]) == 1
    assert said[-1] == "ERROR 15 ends of calls were not written: the next start calls those calls lost"


async def test_closing_writes_what_is_left_or_says_what_is_not(
    kept: State, url: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await begin(kept, 2)
    book = Ledger(kept)
    book.ended(ids[0], "caller_hung_up", "")
    await book.close()
    assert await states(kept) == ["live", "ended"]
    monkeypatch.setattr(ledger, "CLOSE_S", 0.2)
    book = Ledger(kept)
    with databases.frozen(url):
        book.ended(ids[1], "caller_hung_up", "")
        begun = time.monotonic()
        await book.close()
        assert time.monotonic() - begun < 1
    assert said[-1] == "ERROR 1 ends of calls were not written: the next start calls those calls lost"


async def test_a_call_whose_stream_was_never_opened_ends_by_itself_however_busy_the_server_is(
    kept: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "SWEEP_S", 0.1)
    await kept.calls.expect(id="call-1", agent="ava", transport="websocket", ttl_s=0.3)
    book = Ledger(kept)
    await asyncio.sleep(0.15)
    assert await states(kept) == ["expected"]

    async def over() -> bool:
        book.ended("another", "caller_hung_up", "")
        return await all_ended(kept)

    await eventually(over)
    await book.close()
