"""Numbers: searched, bought, pointed and released through the real SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'phone')")

from tests.doubles.twilio_rest import ACCOUNT_SID, CALLEE, TOKEN, TwilioRest
from voicebot.errors import BadInput
from voicebot.telephony.account import Account, Refused
from voicebot.telephony.numbers import Numbers, Pointing, Wish, kind_of

SERVER = "https://voice.example.com"


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioRest]:
    async with TwilioRest() as twilio:
        yield twilio


@pytest.fixture
def numbers(twilio: TwilioRest) -> Numbers:
    return Numbers(Account(ACCOUNT_SID, ACCOUNT_SID, SecretStr(TOKEN), twilio.url))


async def test_a_number_is_found_bought_pointed_and_released(twilio: TwilioRest, numbers: Numbers):
    offers = await numbers.search(Wish(area_code="415", limit=55))
    assert len(offers) == 55
    price = await numbers.price("US")
    assert str(price) == "1.15 USD a month"
    mine = await numbers.buy(offers[0].number, Pointing.to(SERVER, "ava"))
    assert mine.pointing.voice_url == f"{SERVER}/twilio/voice/ava"
    assert mine.pointing.status_callback == f"{SERVER}/twilio/status"
    pointed = await numbers.point(mine, Pointing.to(SERVER, fallback="https://fallback.example.com/sorry.xml"))
    assert pointed.answered_by == f"{SERVER}/twilio/voice"
    assert twilio.number(mine.number)["voice_fallback_url"] == "https://fallback.example.com/sorry.xml"
    await numbers.release(pointed)
    with pytest.raises(BadInput, match=f"has no number '\\{mine.number}'"):
        await numbers.find(mine.number)


async def test_a_number_is_found_by_number_name_and_sid(twilio: TwilioRest, numbers: Numbers):
    front = twilio.add_number("+14155550142", friendly_name="front desk")
    for which in ("+1 (415) 555-0142", "front desk", front["sid"]):
        assert (await numbers.find(which)).number == "+14155550142"
    with pytest.raises(BadInput, match=r"It has \+14155550142, \+15550199\."):
        await numbers.find("+14155550143")


async def test_all_pages_of_an_account_are_listed(twilio: TwilioRest, numbers: Numbers):
    for last in range(60):
        twilio.add_number(f"+141555502{last:02d}")
    assert len(await numbers.list()) == 61
    assert len([each for each in twilio.requests if each.path.endswith("IncomingPhoneNumbers.json")]) > 1


async def test_pointing_a_number_takes_its_trunk_and_application_off(twilio: TwilioRest, numbers: Numbers):
    """With them Twilio would not ask the voice URL."""
    twilio.number().update(trunk_sid="TK1", voice_application_sid="AP1", voice_fallback_url="https://old.example.com/")
    mine = await numbers.find(CALLEE)
    assert mine.answered_by == "the SIP trunk TK1"
    pointed = await numbers.point(mine, Pointing.to(SERVER, "ava"))
    assert pointed.answered_by == f"{SERVER}/twilio/voice/ava"
    assert pointed.pointing.voice_fallback_url == "https://old.example.com/", "nobody asked for another one"


async def test_a_number_that_is_gone_is_said_so(numbers: Numbers):
    with pytest.raises(Refused, match="cannot be had any more"):
        await numbers.buy("+14155559999")


async def test_a_kind_that_a_country_does_not_have_is_said_so(numbers: Numbers):
    with pytest.raises(BadInput, match="no toll-free numbers in DE"):
        await numbers.search(Wish(country="de", kind="toll-free"))
    with pytest.raises(BadInput, match="'Germany' is no code"):
        await numbers.search(Wish(country="Germany"))


@pytest.mark.parametrize(
    ("number", "kind"), [("+14155550100", "local"), ("+18005550199", "toll-free"), ("+4915112345678", "mobile")]
)
def test_the_kind_of_a_number_is_seen(number: str, kind: str):
    assert kind_of(number) == kind
