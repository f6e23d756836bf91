"""Telephone numbers over REST: dry run by default, and nothing without the right scope."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra 'server')")

from tests.doubles.rest_client import Rest, rest
from tests.doubles.twilio_rest import CALLEE, Fault, TwilioRest

PUBLIC = "https://voice.example.com"


@pytest.fixture
async def twilio(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TwilioRest]:
    async with TwilioRest() as twilio:
        for name, value in twilio.environment.items():
            monkeypatch.setenv(name, value)
        yield twilio


@pytest.fixture
async def client(twilio: TwilioRest, tmp_path: Path) -> AsyncIterator[Rest]:
    async with rest(tmp_path, public_url=PUBLIC) as client:
        yield client


async def test_a_number_is_bought_only_when_that_is_confirmed(twilio: TwilioRest, client: Rest):
    offers = (await client.http.get("/v1/phone/available", params={"area_code": "415", "limit": 3})).json()
    assert offers["price"] == {"monthly": "1.15", "currency": "USD"}
    wanted = {"number": offers["numbers"][0]["number"], "webhook": {"agent": "ava"}}
    dry = await client.http.post("/v1/phone/numbers", json=wanted)
    assert (dry.status_code, dry.json()["bought"], dry.json()["price"]["monthly"]) == (200, False, "1.15")
    assert len(twilio.numbers) == 1
    bought = await client.http.post("/v1/phone/numbers", params={"confirm": True}, json=wanted)
    assert (bought.status_code, bought.json()["bought"]) == (201, True)
    assert twilio.number(wanted["number"])["voice_url"] == f"{PUBLIC}/twilio/voice/ava"
    listed = (await client.http.get("/v1/phone/numbers")).json()["numbers"]
    assert [each["number"] for each in listed] == [wanted["number"], CALLEE]
    path = f"/v1/phone/numbers/{bought.json()['details']['sid']}"
    assert (await client.http.delete(path)).json()["released"] is False
    assert (await client.http.delete(path, params={"confirm": True})).json()["released"] is True
    assert (await client.http.delete(path)).status_code == 404
    assert len(twilio.numbers) == 1


async def test_a_number_is_pointed_at_this_server(twilio: TwilioRest, client: Rest):
    webhook = {"agent": "ava", "fallback_url": "https://fallback.example.com/sorry.xml"}
    pointed = await client.http.put(f"/v1/phone/numbers/%2B{CALLEE[1:]}/webhook", json=webhook)
    assert pointed.status_code == 200, pointed.text
    assert pointed.json()["answered_by"] == f"{PUBLIC}/twilio/voice/ava"
    assert twilio.number()["voice_fallback_url"] == "https://fallback.example.com/sorry.xml"
    assert (await client.http.put(f"/v1/phone/numbers/{CALLEE}/webhook", json={"agent": "eve"})).status_code == 404
    assert (await client.http.put("/v1/phone/numbers/+14155550000/webhook", json={})).status_code == 404


async def test_reading_numbers_does_not_allow_to_change_them(twilio: TwilioRest, client: Rest):
    reader = await client.key("phone:read")
    assert (await client.http.get("/v1/phone/numbers", headers=reader)).status_code == 200
    refused = await client.http.delete(f"/v1/phone/numbers/{CALLEE}", params={"confirm": True}, headers=reader)
    assert refused.status_code == 403
    nothing = await client.key("calls:read", name="another")
    assert (await client.http.get("/v1/phone/numbers", headers=nothing)).status_code == 403
    assert len(twilio.numbers) == 1


async def test_a_twilio_that_is_down_is_503_and_a_refusal_422(twilio: TwilioRest, client: Rest):
    twilio.faults.append(Fault("IncomingPhoneNumbers", method="GET", status=500))
    assert (await client.http.get("/v1/phone/numbers")).status_code == 503
    wanted = {"number": "+14155559999"}
    refused = await client.http.post("/v1/phone/numbers", params={"confirm": True}, json=wanted)
    assert (refused.status_code, "cannot be had any more" in refused.json()["detail"]) == (422, True)


async def test_a_server_without_account_or_address_says_what_it_lacks(
    twilio: TwilioRest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with rest(tmp_path) as client:
        unknown = await client.http.put(f"/v1/phone/numbers/{CALLEE}/webhook", json={"agent": "ava"})
        assert (unknown.status_code, "--public-url" in unknown.json()["detail"]) == (409, True)
        monkeypatch.delenv("TWILIO_ACCOUNT_SID")
        without = await client.http.get("/v1/phone/numbers")
        assert (without.status_code, "TWILIO_ACCOUNT_SID" in without.json()["detail"]) == (409, True)
