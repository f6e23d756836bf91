"""Calls that go out and their batches, on both databases: an intent is made once, and what was in doubt says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from voicebot.server.state import AlreadyKnown, CallRow, State
from voicebot.telephony.batch.ledger import DialRow

TO = "+12025550123"


def row(id: str, **fields: str) -> CallRow:
    return CallRow(id, "ava", "twilio", caller="+12025550100", callee=TO, machine="m", **fields)  # type: ignore[arg-type] # only texts are given here


async def test_of_many_who_intend_a_call_one_makes_it(kept: State) -> None:
    made = await asyncio.gather(*(kept.outgoing.intend(row("a"), 60) for _ in range(5)), return_exceptions=True)
    assert [isinstance(each, AlreadyKnown) for each in made].count(False) == 1


async def test_a_call_has_one_name_at_twilio(kept: State) -> None:
    await kept.outgoing.intend(row("a"), 60)
    assert await kept.outgoing.dialled("a", "CA1")
    assert await kept.outgoing.dialled("a", "CA1")
    assert not await kept.outgoing.dialled("a", "CA2")
    await kept.calls.expect(id="in", agent="ava", transport="twilio")
    assert not await kept.outgoing.dialled("in", "CA3")


async def test_what_expires_without_a_name_at_twilio_is_in_doubt(kept: State) -> None:
    await kept.outgoing.intend(row("unknown"), -1)
    await kept.outgoing.intend(row("rang"), -1)
    await kept.outgoing.dialled("rang", "CA1")
    assert await kept.calls.expire() == 2
    unknown, rang = await kept.calls.get("unknown"), await kept.calls.get("rang")
    assert unknown is not None
    assert rang is not None
    assert (unknown.reason, rang.reason) == ("in_doubt", "not_opened")
    await kept.outgoing.no_doubt("unknown", "busy", "SIP 486")
    await kept.outgoing.no_doubt("rang", "busy", "SIP 486")
    unknown, rang = await kept.calls.get("unknown"), await kept.calls.get("rang")
    assert unknown is not None
    assert rang is not None
    assert (unknown.reason, rang.reason) == ("busy", "not_opened")


async def test_who_has_answered_is_written_once(kept: State) -> None:
    await kept.outgoing.intend(row("a"), 60)
    assert await kept.outgoing.answered_by("a", "machine")
    assert not await kept.outgoing.answered_by("a", "human")
    found = await kept.calls.get("a")
    assert found is not None
    assert (found.answered_by, found.direction) == ("machine", "outbound")


async def test_only_an_intent_that_came_to_nothing_is_forgotten(kept: State) -> None:
    await kept.outgoing.intend(row("a"), 60)
    await kept.outgoing.forget("a")
    assert await kept.calls.get("a") is None
    await kept.outgoing.intend(row("a"), 60)
    await kept.outgoing.dialled("a", "CA1")
    await kept.outgoing.forget("a")
    assert await kept.calls.get("a") is not None


async def test_load_counts_calls_that_run_or_are_about_to(kept: State) -> None:
    await kept.calls.begin(row("live"))
    await kept.calls.expect(id="soon", agent="ava", transport="twilio")
    await kept.calls.expect(id="late", agent="ava", transport="twilio", ttl_s=-1)
    await kept.calls.ended((await kept.calls.begin(row("over"))).id, "failed")
    assert await kept.outgoing.load(["ava", "eva"]) == {"ava": 2}
    assert await kept.outgoing.load([]) == {}


async def test_orphans_are_those_of_the_worker(kept: State) -> None:
    await kept.outgoing.intend(row("mine"), 60)
    await kept.calls.ended((await kept.outgoing.intend(row("over"), 60)).id, "busy")
    assert [each.id for each in await kept.outgoing.orphans("m", 0)] == ["mine"]
    assert await kept.outgoing.orphans("m", 1) == await kept.outgoing.orphans("other", 0) == []


async def test_a_number_is_in_a_batch_once_and_one_may_dial_it(kept: State) -> None:
    await kept.batches.open("b", "ava", "b.csv")
    assert (await kept.batches.open("b", "eva", "other.csv")).agent == "ava"
    rows = [DialRow("b", f"+1202555{number:04}", number, {"name": "Maria"}) for number in range(700)]
    assert await kept.batches.add(rows) == 700
    assert await kept.batches.add(rows) == 0
    (first, second) = await kept.batches.due("b", 2, datetime.now(UTC))
    assert (first.number, dict(first.parameters)) == ("+12025550000", {"name": "Maria"})
    asked = await asyncio.gather(*(kept.batches.intend(first, f"call-{number}") for number in range(4)))
    assert sorted(asked) == [False, False, False, True]
    await kept.batches.finish(first, "busy")
    assert await kept.batches.counts("b") == {"busy": 1, "waiting": 699}
    assert (await kept.batches.due("b", 1, datetime.now(UTC)))[0].number == second.number


@pytest.mark.parametrize("name", ["nobody", "b\0"])
async def test_a_batch_that_is_not_there_has_nothing(kept: State, name: str) -> None:
    assert (await kept.batches.rows(name), await kept.batches.counts(name)) == ([], {})
