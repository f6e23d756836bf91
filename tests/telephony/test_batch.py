"""A batch: pace, how many at once, retries, what is left out, and who goes on after a stop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed (extra 'server')")

from tests.doubles.batch_server import BatchServer
from voicebot.errors import BadInput, Unavailable
from voicebot.server import state
from voicebot.telephony.batch import contacts, looking, run
from voicebot.telephony.batch.ledger import DialRow
from voicebot.telephony.batch.rest import Later, NotMade, Seen
from voicebot.telephony.batch.run import Batch, Plan
from voicebot.telephony.phonebook import Retry

NUMBERS = [f"+1202555{number:04}" for number in range(100, 130)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_S", 0.01)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Any]:
    url = f"sqlite:///{tmp_path}/state.db"
    state.migrate(url)
    async with await state.State.open(url) as kept:
        await kept.batches.open("b", "ava", "b.csv")
        await kept.batches.add(DialRow("b", number, place) for place, number in enumerate(NUMBERS))
        yield kept.batches


def batch(ledger: Any, server: BatchServer, **plan: Any) -> Batch:
    return Batch(Plan("b", "ava", **plan), ledger, cast(Any, server))


async def test_every_number_is_dialled_once_and_so_many_at_the_same_time(ledger: Any):
    server = BatchServer(outcomes={NUMBERS[0]: ["busy"], NUMBERS[1]: ["no_answer"]}, holds=4, total=30)
    await batch(ledger, server, at_once=4).run()
    assert server.dialled == dict.fromkeys(NUMBERS, 1)
    assert server.most == 4
    assert await ledger.counts("b") == {"answered": 28, "busy": 1, "no_answer": 1}
    await batch(ledger, server).run()
    assert server.dialled.total() == 30


async def test_calls_begin_at_a_pace(ledger: Any):
    server = BatchServer()
    paced = batch(ledger, server, at_once=10, per_minute=60 / 0.02)
    began = asyncio.get_running_loop().time()
    await paced.run()
    assert asyncio.get_running_loop().time() - began >= 29 * 0.02


async def test_a_number_that_was_busy_is_tried_again_so_often(ledger: Any):
    server = BatchServer(outcomes={NUMBERS[0]: ["busy", "busy"], NUMBERS[1]: ["busy"] * 9, NUMBERS[2]: ["in_doubt"]})
    await batch(ledger, server, retry=Retry(times=2, after=1.0, when=["busy"])).run()
    assert [server.dialled[number] for number in NUMBERS[:4]] == [3, 3, 1, 1]
    rows = {row.number: row for row in await ledger.rows("b")}
    assert [(rows[n].outcome, rows[n].attempts) for n in NUMBERS[:3]] == [("answered", 3), ("busy", 3), ("in_doubt", 1)]


async def test_a_server_that_is_away_or_full_is_asked_with_the_same_id_until_it_answers(ledger: Any):
    server = BatchServer(raises={NUMBERS[0]: deque([Later("away", 0.01)] * 5)})
    await batch(ledger, server).run()
    assert server.dialled[NUMBERS[0]] == 1
    (row,) = [row for row in await ledger.rows("b") if row.number == NUMBERS[0]]
    assert (row.attempts, row.outcome) == (1, "answered")


async def test_who_may_not_be_called_is_not_and_who_may_later_is_later(ledger: Any):
    refusals = {NUMBERS[0]: deque([NotMade("on the list")]), NUMBERS[1]: deque([NotMade("quiet hours", 1.0)])}
    server = BatchServer(raises=refusals)
    await batch(ledger, server).run()
    assert (server.dialled[NUMBERS[0]], server.dialled[NUMBERS[1]]) == (0, 1)
    rows = {row.number: row for row in await ledger.rows("b")}
    assert (rows[NUMBERS[0]].outcome, rows[NUMBERS[0]].detail) == ("not_called", "on the list")
    assert (rows[NUMBERS[1]].outcome, rows[NUMBERS[1]].attempts) == ("answered", 1)


async def test_stop_lets_calls_finish_and_the_next_run_goes_on(ledger: Any):
    server = BatchServer()
    first = batch(ledger, server, at_once=3)
    server.on_call = lambda number: first.stop() if server.dialled.total() == 10 else None
    await first.run()
    assert await ledger.counts("b") == {"answered": 10, "waiting": 20}
    await batch(ledger, server).run()
    assert server.dialled == dict.fromkeys(NUMBERS, 1)


def broken_off(running: asyncio.Task[None], server: BatchServer, at: int) -> Callable[[str], Any]:
    return lambda number: running.cancel() if server.dialled.total() >= at else None


async def test_a_run_that_is_broken_off_is_gone_on_with_and_nobody_is_called_twice(ledger: Any):
    server = BatchServer()
    for broken_at in (5, 6, 17):
        running = asyncio.create_task(batch(ledger, server, at_once=5).run())
        server.on_call = broken_off(running, server, broken_at)
        with pytest.raises(asyncio.CancelledError):
            await running
    server.on_call = lambda number: None
    await batch(ledger, server).run()
    assert server.dialled == dict.fromkeys(NUMBERS, 1)
    assert await ledger.counts("b") == {"answered": 30}


async def test_of_two_who_want_to_dial_a_number_one_may(ledger: Any):
    (row, *_) = await ledger.due("b", 1, datetime.now(UTC))
    assert sorted(await asyncio.gather(*(ledger.intend(row, f"id-{n}") for n in range(5)))) == [False] * 4 + [True]


async def test_a_ledger_that_is_away_for_a_moment_stops_nobody(ledger: Any, monkeypatch: pytest.MonkeyPatch):
    """Also when it was away only behind what it had written."""
    monkeypatch.setattr(run, "_PATIENCE_S", (0.01,) * 3)
    intend, finish = ledger.intend, ledger.finish

    def flaky(method: Callable[..., Any]) -> Callable[..., Any]:
        told: set[str] = set()

        async def called(row: DialRow, *words: Any) -> Any:
            result = await method(row, *words)
            if row.number not in told:
                told.add(row.number)
                raise Unavailable("the database is locked.")
            return result

        return called

    monkeypatch.setattr(ledger, "intend", flaky(intend))
    monkeypatch.setattr(ledger, "finish", flaky(finish))
    server = BatchServer()
    await batch(ledger, server).run()
    assert server.dialled == dict.fromkeys(NUMBERS, 1)
    assert await ledger.counts("b") == {"answered": 30}


async def test_numbers_that_wait_for_an_hour_are_not_due_before(ledger: Any):
    (row, *_) = await ledger.due("b", 1, now := datetime.now(UTC))
    await ledger.intend(row, "id-1")
    await ledger.again(row, now + timedelta(hours=1), "busy", "")
    assert row.number not in [each.number for each in await ledger.due("b", 99, now)]
    assert row.number in [each.number for each in await ledger.due("b", 99, now + timedelta(hours=2))]
    assert await ledger.next_due("b") == now + timedelta(hours=1)


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        ({"state": "ended", "reason": "agent_hung_up", "started_at": "x"}, "answered"),
        ({"state": "ended", "reason": "agent_hung_up", "started_at": "x", "answered_by": "machine"}, "voicemail"),
        ({"state": "ended", "reason": "failed"}, "failed"),
        ({"state": "ended", "reason": "not_opened"}, "failed"),
        ({"state": "ended", "reason": "in_doubt"}, "in_doubt"),
        ({"state": "lost", "reason": "lost", "started_at": "x"}, "lost"),
    ],
)
def test_what_came_of_a_call(seen: dict[str, str], outcome: str) -> None:
    assert Seen(id="1", **seen).outcome == outcome


def test_a_file_has_numbers_and_variables(tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    file.write_text(
        "Name;Phone;Due date\nMaria;+1 (202) 555-0123;Tuesday\nJo;12345;\n;+12025550123;x\n\nAl;+12025550124;\n"
    )
    read = contacts.read(file, "c")
    assert read.repeated == 1
    assert [(row.number, row.state, dict(row.parameters)) for row in read.rows] == [
        ("+12025550123", "waiting", {"name": "Maria", "due_date": "Tuesday"}),
        ("12345", "done", {"name": "Jo"}),
        ("+12025550124", "waiting", {"name": "Al"}),
    ]
    assert (read.rows[1].outcome, read.rows[1].detail.split(":")[0]) == ("invalid", "line 3")


def test_a_file_of_bare_numbers_needs_no_header(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("+12025550123\n+12025550124\n")
    assert [row.number for row in contacts.read(tmp_path / "c.csv", "c").rows] == ["+12025550123", "+12025550124"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,age\nMaria,8\n", "c.csv:1 no column of numbers, such as 'number'."),
        ("", "no column of numbers"),
        ("number\n\n", "has no numbers"),
    ],
)
def test_a_file_without_numbers_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(BadInput) as error:
        contacts.read(tmp_path / "c.csv", "c")
    assert sentence in str(error.value)
