"""The account at Twilio: what it needs, and what Twilio's refusals and silences become."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'phone')")

from tests.doubles.twilio_rest import ACCOUNT_SID, CALLEE, TOKEN, Fault, TwilioRest
from voicebot.errors import BadInput
from voicebot.telephony.account import Account, Refused, Unanswered


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioRest]:
    async with TwilioRest() as twilio:
        yield twilio


def of(twilio: TwilioRest, token: str = TOKEN) -> Account:
    return Account(ACCOUNT_SID, ACCOUNT_SID, SecretStr(token), twilio.url)


async def test_an_account_is_read_from_the_projects_env_file(twilio: TwilioRest, tmp_path: Path):
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in twilio.environment.items()))
    account = Account.of_project(tmp_path)
    numbers = await account.ask(lambda client: client.incoming_phone_numbers.list(), "list the numbers")
    assert [number.phone_number for number in numbers] == [CALLEE]
    assert TOKEN not in repr(account)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT_SID}, "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
        ({"TWILIO_ACCOUNT_SID": "SK1", "TWILIO_AUTH_TOKEN": "x"}, "is no SID of an account"),
        (
            {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": "x", "TWILIO_API_URL": "http://example.com"},
            "TWILIO_API_URL is no https",
        ),
    ],
)
def test_what_is_missing_is_said(
    settings: dict[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_API_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    with pytest.raises(BadInput, match=sentence):
        Account.of_project(tmp_path)


def test_an_api_key_signs_in_instead_of_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_API_KEY": "SK1", "TWILIO_API_SECRET": "hidden"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    client = Account.of_project(tmp_path).client
    assert (client.username, client.password, client.account_sid) == ("SK1", "hidden", ACCOUNT_SID)


async def test_a_wrong_token_is_one_sentence_without_the_token(twilio: TwilioRest):
    with pytest.raises(Refused, match="does not accept the credentials") as refused:
        await of(twilio, "wrong-token").ask(lambda client: client.incoming_phone_numbers.list(), "list the numbers")
    assert "wrong-token" not in str(refused.value)
    assert refused.value.code == 20003


@pytest.mark.parametrize(
    ("fault", "in_doubt"),
    [
        (Fault("Calls.json", status=0, acts=True), True),
        (Fault("Calls.json", status=503), True),
        (Fault("Calls.json", status=429, code=20429), False),
    ],
)
async def test_a_call_without_an_answer_says_whether_it_may_have_been_made(
    twilio: TwilioRest, fault: Fault, in_doubt: bool
):
    twilio.faults.append(fault)
    with pytest.raises(Unanswered) as unanswered:
        await of(twilio).ask(
            lambda client: client.calls.create(to="+15550123", from_=CALLEE, twiml="<Response/>"), "call +15550123"
        )
    assert unanswered.value.in_doubt is in_doubt
    assert len([each for each in twilio.requests if each.path.endswith("Calls.json")]) == 1, "it was asked once"


async def test_a_twilio_that_cannot_be_reached_has_done_nothing():
    account = Account(ACCOUNT_SID, ACCOUNT_SID, SecretStr(TOKEN), "http://127.0.0.1:9")
    with pytest.raises(Unanswered, match="cannot be reached") as unanswered:
        await account.ask(lambda client: client.incoming_phone_numbers.list(), "list the numbers")
    assert not unanswered.value.in_doubt


async def test_the_double_refuses_what_twilios_description_does_not_know(twilio: TwilioRest):
    with pytest.raises(Refused, match="Invalid MachineDetection"):
        await of(twilio).ask(
            lambda client: client.calls.create(
                to="+15550123", from_=CALLEE, twiml="<Response/>", machine_detection="Sometimes"
            ),
            "call",
        )
