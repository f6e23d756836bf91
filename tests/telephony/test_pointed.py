"""A number that is lent is as it was afterwards: after the end, an exception, a crash; and never at others' expense."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'phone')")

from tests.doubles.twilio_account.records import Number as Record
from tests.doubles.twilio_rest import ACCOUNT_SID, CALLEE, TOKEN, Fault, TwilioRest
from voicebot.errors import BadInput, Unavailable
from voicebot.telephony import pointed
from voicebot.telephony.account import Account, Refused, Unanswered
from voicebot.telephony.numbers import Number, Numbers, Pointing

OURS = Pointing.to("https://1234.ngrok-free.app", "ava")
WAS = {
    "voice_url": "https://old.example.com/voice",
    "voice_method": "GET",
    "voice_fallback_url": "https://old.example.com/fallback",
    "status_callback": "https://old.example.com/status",
    "voice_application_sid": "AP1",
    "trunk_sid": None,
}


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioRest]:
    async with TwilioRest() as twilio:
        twilio.number().update(WAS)
        yield twilio


@pytest.fixture
def numbers(twilio: TwilioRest) -> Numbers:
    return Numbers(Account(ACCOUNT_SID, ACCOUNT_SID, SecretStr(TOKEN), twilio.url))


def notes(folder: Path) -> list[Path]:
    return list(folder.glob("*.json"))


def settings(record: Record) -> dict[str, object]:
    return {name: record[name] or None for name in WAS}


async def test_it_is_as_it_was_after_the_end_and_after_an_exception(
    twilio: TwilioRest, numbers: Numbers, tmp_path: Path
):
    before = settings(twilio.number())
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path) as loan:
        now = twilio.number()
        assert (now["voice_url"], now["voice_method"], now["voice_application_sid"]) == (OURS.voice_url, "POST", "")
        assert now["voice_fallback_url"] == WAS["voice_fallback_url"], "in need, who is asked stays"
    assert settings(twilio.number()) == before
    assert loan.back
    assert loan.back.how == "restored"
    with pytest.raises(RuntimeError, match="broke"):
        async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path):
            raise RuntimeError("broke")
    assert settings(twilio.number()) == before
    assert notes(tmp_path) == []


async def test_what_it_was_is_on_the_disk_before_anything_is_changed(
    twilio: TwilioRest, numbers: Numbers, tmp_path: Path
):
    twilio.faults.append(Fault("IncomingPhoneNumbers/", method="POST", status=503))
    with pytest.raises(Unanswered):
        async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path):
            raise AssertionError("it cannot be known whether it is lent")
    (note,) = notes(tmp_path)
    assert json.loads(note.read_text())["was"]["voice_url"] == WAS["voice_url"]
    (back,) = await pointed.give_back(numbers, tmp_path)
    assert back.how == "restored"
    assert settings(twilio.number()) == settings(Record(CALLEE, **WAS))


async def test_a_change_that_was_made_though_no_answer_came_is_taken_back(
    twilio: TwilioRest, numbers: Numbers, tmp_path: Path
):
    twilio.faults.append(Fault("IncomingPhoneNumbers/", method="POST", status=0, acts=True))
    with pytest.raises(Unanswered):
        async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path):
            raise AssertionError("it cannot be known whether it is lent")
    assert twilio.number()["voice_url"] == OURS.voice_url
    await pointed.give_back(numbers, tmp_path)
    assert twilio.number()["voice_url"] == WAS["voice_url"]


async def test_a_twilio_that_is_down_at_the_end_is_tried_again_at_the_next_start(
    twilio: TwilioRest, numbers: Numbers, tmp_path: Path
):
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path) as loan:
        twilio.faults.append(Fault("IncomingPhoneNumbers/", method="POST", status=503))
    assert loan.back is None
    twilio.faults.append(Fault("IncomingPhoneNumbers/", method="POST", status=503))
    with pytest.raises(Unanswered):
        async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path):
            raise AssertionError("our own tunnel would be taken for what it was")
    other = Pointing.to("https://5678.ngrok-free.app", "ava")
    async with pointed.lent(numbers, await numbers.find(CALLEE), other, tmp_path):
        assert twilio.number()["voice_url"] == other.voice_url
    assert settings(twilio.number()) == settings(Record(CALLEE, **WAS))


async def test_what_somebody_else_has_changed_meanwhile_is_theirs(twilio: TwilioRest, numbers: Numbers, tmp_path: Path):
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path) as loan:
        twilio.number().update(voice_url="https://new.example.com/voice")
    assert loan.back
    assert (loan.back.how, loan.back.answered_by) == ("left alone", "https://new.example.com/voice")
    now = twilio.number()
    assert now["voice_application_sid"] == "", "with the old application Twilio would not ask their new URL"
    assert now["status_callback"] == WAS["status_callback"], "that one was still ours"


async def test_a_number_that_was_released_meanwhile_is_forgotten(twilio: TwilioRest, numbers: Numbers, tmp_path: Path):
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path) as loan:
        twilio.numbers.clear()
    assert loan.back
    assert loan.back.how == "gone"
    assert await pointed.give_back(numbers, tmp_path) == []


async def test_nobody_else_gets_a_number_that_is_lent(twilio: TwilioRest, numbers: Numbers, tmp_path: Path):
    number = await numbers.find(CALLEE)
    async with pointed.lent(numbers, number, OURS, tmp_path):
        assert await pointed.give_back(numbers, tmp_path) == [], "whoever has it is there"
        with pytest.raises(Unavailable, match="another 'voicebot phone dev'"):
            async with pointed.lent(numbers, number, OURS, tmp_path):
                raise AssertionError("it is lent already")
        assert twilio.number()["voice_url"] == OURS.voice_url


async def test_a_note_that_cannot_be_read_stops_everything(numbers: Numbers, tmp_path: Path):
    number = await numbers.find(CALLEE)
    (tmp_path / f"{number.sid}.json").write_text('{"sid": ')
    with pytest.raises(BadInput, match="does not say what the number was"):
        async with pointed.lent(numbers, number, OURS, tmp_path):
            raise AssertionError("what it was would be lost for ever")


ELSEWHERE = Pointing.to("https://5678.ngrok-free.app", "ava")


@pytest.mark.parametrize("acts", [True, False], ids=["changed there", "not changed there"])
async def test_one_killed_while_it_moves_a_number_to_another_address_leaves_what_it_was(
    twilio: TwilioRest, numbers: Numbers, tmp_path: Path, acts: bool
):
    """Whether Twilio has changed it or not: nobody knows, and the disk says both."""
    before, left = settings(twilio.number()), tmp_path / "left behind"
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path / "ours") as loan:
        twilio.faults.append(Fault("IncomingPhoneNumbers/", method="POST", status=0 if acts else 503, acts=acts))
        with pytest.raises(Unanswered):
            await loan.move(ELSEWHERE)
        assert twilio.number()["voice_url"] == (ELSEWHERE if acts else OURS).voice_url
        shutil.copytree(tmp_path / "ours", left)
        (back,) = await pointed.give_back(numbers, left)
        assert back.how == "restored"
        assert settings(twilio.number()) == before


async def test_a_number_that_was_moved_is_as_it_was_afterwards(twilio: TwilioRest, numbers: Numbers, tmp_path: Path):
    before = settings(twilio.number())
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path) as loan:
        twilio.number().update(voice_fallback_url="https://new.example.com/fallback")
        assert await loan.move(ELSEWHERE)
        now = twilio.number()
        assert (now["voice_url"], now["status_callback"]) == (ELSEWHERE.voice_url, ELSEWHERE.status_callback)
        assert json.loads(notes(tmp_path)[0].read_text())["before"] == [], "the old address is nobody's now"
        twilio.faults.append(Fault("IncomingPhoneNumbers/", method="POST", status=400, code=21000))
        with pytest.raises(Refused):
            await loan.move(OURS)
        assert await loan.move(Pointing.to("https://9abc.ngrok-free.app", "ava"))
    assert settings(twilio.number()) == {**before, "voice_fallback_url": "https://new.example.com/fallback"}


async def test_a_number_that_somebody_else_has_pointed_elsewhere_is_not_moved(
    twilio: TwilioRest, numbers: Numbers, tmp_path: Path
):
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path) as loan:
        twilio.number().update(voice_url="https://new.example.com/voice")
        assert not await loan.move(ELSEWHERE)
        assert twilio.number()["voice_url"] == "https://new.example.com/voice"
    assert twilio.number()["status_callback"] == WAS["status_callback"]


async def test_a_move_that_is_under_way_at_the_end_does_not_come_behind_it(
    twilio: TwilioRest, numbers: Numbers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What is asked of Twilio in a thread goes on there, whoever is cancelled."""
    asked, change = asyncio.Event(), Numbers.change

    async def late(self: Numbers, number: Number, fields: dict[str, str]) -> Number:
        if fields.get("voice_url") == ELSEWHERE.voice_url:
            asked.set()
            await asyncio.sleep(0.5)
        return await change(self, number, fields)

    monkeypatch.setattr(Numbers, "change", late)
    before = settings(twilio.number())
    async with pointed.lent(numbers, await numbers.find(CALLEE), OURS, tmp_path) as loan:
        moving = asyncio.create_task(loan.move(ELSEWHERE))
        await asked.wait()
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)
    assert ELSEWHERE.voice_url in [each.sent.get("VoiceUrl", [""])[0] for each in twilio.requests]
    assert settings(twilio.number()) == before
