"""API keys: only their hashes are kept, and what changes is true for every worker a moment later."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.doubles import databases
from voicebot.errors import BadInput, Unavailable
from voicebot.server.state import SCOPES, State, keys, migrate


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> float:
    """What a worker has read of a key is fresh for a shorter time; the real one is the promise in the documents."""
    assert keys.FRESH_S == 5
    monkeypatch.setattr(keys, "FRESH_S", 0.2)
    return 0.2


async def test_a_key_is_known_by_its_secret_and_by_nothing_else(kept: State) -> None:
    key, secret = await kept.keys.create("ci", ["calls:read", "calls:write"])
    other, _ = await kept.keys.create("other", ["calls:read"])
    assert secret.startswith(f"vb_{key.id}_")
    assert len(secret.removeprefix(f"vb_{key.id}_")) == 43
    assert await kept.keys.check(secret) == key
    assert key.scopes == {"calls:read", "calls:write"}
    of_another = secret.replace(key.id, other.id)
    of_nobody = secret.replace(key.id, "a" * 12)
    for wrong in (
        secret[:-1] + "-",
        of_another,
        of_nobody,
        secret + "x",
        secret[:-1],
        "",
        "vb_",
        "é" * 60,
        "\0" * 10**6,
    ):
        assert await kept.keys.check(wrong) is None


async def test_no_secret_and_no_ticket_is_in_the_database(tmp_path: Path) -> None:
    url = databases.empty("sqlite", tmp_path)
    migrate(url)
    async with await State.open(url) as kept:
        key, secret = await kept.keys.create("ci", ["calls:read"])
        new, other = await kept.keys.rotate("ci", 60)
        _, ticket = await kept.calls.expect(id="call-1", agent="ava", transport="websocket")
        written = everything_in(tmp_path)
    assert key.id.encode() in written
    assert new.id.encode() in written
    for word in (secret.rpartition(f"{key.id}_")[2], other.rpartition(f"{new.id}_")[2], ticket):
        assert word.encode() not in written


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("state.db*"))


async def test_a_revoked_key_is_refused_by_every_worker_in_time(kept: State, url: str, brief: float) -> None:
    key, secret = await kept.keys.create("ci", ["calls:read"])
    async with await State.open(url) as other:
        assert await other.keys.check(secret)
        assert [gone.id for gone in await kept.keys.revoke("ci")] == [key.id]
        assert await kept.keys.check(secret) is None
        await asyncio.sleep(brief)
        assert await other.keys.check(secret) is None
    assert await kept.keys.revoke(key.id) == []


async def test_a_key_expires_also_from_memory(kept: State) -> None:
    _, secret = await kept.keys.create("ci", ["calls:read"], datetime.now(UTC) + timedelta(seconds=0.3))
    assert await kept.keys.check(secret)
    await asyncio.sleep(0.35)
    assert await kept.keys.check(secret) is None
    assert [key.state for key in await kept.keys.list()] == ["expired"]


async def test_a_rotated_key_is_valid_for_the_overlap_and_its_successor_from_now_on(kept: State, brief: float) -> None:
    old, secret = await kept.keys.create("ci", ["calls:read"])
    assert await kept.keys.check(secret)
    new, other = await kept.keys.rotate("ci", overlap_s=0.5)
    assert (new.name, new.scopes, new.expires_at) == (old.name, old.scopes, None)
    assert await kept.keys.check(other) == new
    replaced = await kept.keys.check(secret)
    assert replaced
    assert replaced.successor == new.id
    await asyncio.sleep(0.55)
    assert await kept.keys.check(secret) is None
    assert await kept.keys.check(other)


async def test_a_key_with_a_life_is_followed_by_one_with_as_long_a_life(kept: State) -> None:
    old, _ = await kept.keys.create("ci", ["calls:read"], datetime.now(UTC) + timedelta(hours=1))
    new, _ = await kept.keys.rotate(old.id, overlap_s=7200)
    assert new.expires_at
    assert abs(new.expires_at - new.created_at - timedelta(hours=1)) < timedelta(seconds=1)
    assert next(key for key in await kept.keys.list() if key.id == old.id).expires_at == old.expires_at


async def test_of_two_who_rotate_at_once_one_does(kept: State, url: str) -> None:
    await kept.keys.create("ci", ["calls:read"])
    async with await State.open(url) as other:
        both = await asyncio.gather(kept.keys.rotate("ci", 60), other.keys.rotate("ci", 60), return_exceptions=True)
    assert len([failed for failed in both if isinstance(failed, BadInput)]) <= 1
    assert [key.state for key in await kept.keys.list()].count("active") == 1


async def test_a_name_has_one_key_and_is_free_again_when_it_is_revoked(kept: State) -> None:
    await kept.keys.create("ci", ["calls:read"])
    with pytest.raises(BadInput, match="there is a key 'ci' already"):
        await kept.keys.create("ci", ["calls:read"])
    await kept.keys.rotate("ci", 60)
    assert len(await kept.keys.revoke("ci")) == 2
    await kept.keys.create("ci", ["calls:read"])


@pytest.mark.parametrize(
    ("name", "scopes", "sentence"),
    [
        ("ci", ["calls:raed"], "Did you mean 'calls:read'"),
        ("ci", [], "a key needs a scope"),
        ("../ci", ["calls:read"], "is no name for a key"),
        ("CI", ["calls:read"], "is no name for a key"),
        ("", ["calls:read"], "is no name for a key"),
    ],
)
async def test_what_cannot_be_a_key_is_bad_input(kept: State, name: str, scopes: list[str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        await kept.keys.create(name, scopes)


async def test_unknown_keys_are_named_with_those_there_are(kept: State) -> None:
    await kept.keys.create("front-desk", SCOPES)
    for question in (kept.keys.revoke("front-dest"), kept.keys.rotate("front-dest", 0)):
        with pytest.raises(BadInput, match="Did you mean 'front-desk'"):
            await question


async def test_a_busy_key_is_read_and_written_down_now_and_then(kept: State) -> None:
    _, secret = await kept.keys.create("ci", ["calls:read"])
    asked: list[str] = []
    engine = kept.keys._database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *what: asked.append(what[2].split()[0]))
    before = datetime.now(UTC)
    for _ in range(3):
        assert all(await asyncio.gather(*(kept.keys.check(secret) for _ in range(100))))
    await kept.keys.close()
    assert asked == ["SELECT", "UPDATE"]
    used = (await kept.keys.list())[0].last_used_at
    assert used
    assert used >= before


async def test_guessing_ids_fills_no_memory(kept: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "REMEMBERED", 10)
    for number in range(30):
        assert await kept.keys.check(f"vb_{number:012}_{'a' * 43}") is None
    assert len(kept.keys._known) == 10


async def test_without_a_database_a_key_is_not_believed_for_longer(kept: State, url: str, brief: float) -> None:
    _, secret = await kept.keys.create("ci", ["calls:read"])
    assert await kept.keys.check(secret)
    with databases.frozen(url), suppress(Unavailable):  # SQLite still reads while another process writes
        await asyncio.sleep(brief)
        await kept.keys.check(secret)
        assert url.startswith("sqlite")
    assert await kept.keys.check(secret)
