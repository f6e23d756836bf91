"""`voicebot phone numbers`: what costs money is only done with --yes, and what is printed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'phone')")

from tests.doubles.twilio_rest import CALLEE, TwilioRest
from voicebot.commands import run

NUMBER = "+14155551000"
SERVER = "https://voice.example.com"


@pytest.fixture
async def twilio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[TwilioRest]:
    monkeypatch.chdir(tmp_path)
    async with TwilioRest() as twilio:
        for name, value in twilio.environment.items():
            monkeypatch.setenv(name, value)
        yield twilio


async def said(*words: str) -> int:
    """The exit code of `voicebot phone numbers …`, beside the double."""
    return await asyncio.to_thread(run, ["phone", "numbers", *words])


async def test_a_number_is_searched_bought_pointed_and_released(twilio: TwilioRest, capsys: pytest.CaptureFixture[str]):
    assert await said("search", "--area-code", "415", "--limit", "2") == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0].split("\t")[:2] == [NUMBER, "San Francisco, CA"]
    assert "each costs 1.15 USD a month" in told.err
    assert await said("buy", NUMBER, "--agent", "ava", "--url", SERVER) == 0
    assert "nothing was bought" in capsys.readouterr().err
    assert len(twilio.numbers) == 1
    assert await said("buy", NUMBER, "--yes", "--quiet") == 0
    assert capsys.readouterr().out == f"{NUMBER}\n"
    assert await said("point", NUMBER, "ava", "--url", SERVER, "--json") == 0
    pointed = json.loads(capsys.readouterr().out)
    assert pointed["answered_by"] == f"{SERVER}/twilio/voice/ava"
    assert pointed["was"]["answered_by"] == "https://demo.twilio.com/welcome/voice/"
    assert await said("release", NUMBER) == 0
    assert "nothing was done" in capsys.readouterr().err
    assert len(twilio.numbers) == 2
    assert await said("release", NUMBER, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["released"] is True
    assert await said("list", "--quiet") == 0
    assert capsys.readouterr().out == f"{CALLEE}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["search", "--kind", "lokal"], "Did you mean 'local'?"),
        (["search", "--country", "Germany"], "'Germany' is no code of a country"),
        (["buy", "4155551000"], "is no telephone number. Write it with its country"),
        (["buy", "+14155559999", "--yes"], "this number cannot be had any more"),
        (["point", CALLEE, "ava"], "where does Twilio reach the server?"),
        (["point", CALLEE, "ava", "--url", "voice.example.com"], "--url: 'voice.example.com' is no web address"),
        (["release", "+14155559999"], f"has no number '+14155559999'. It has {CALLEE}."),
    ],
)
async def test_what_is_wrong_is_one_sentence(
    twilio: TwilioRest, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
):
    assert await said(*words) == 2
    assert sentence in capsys.readouterr().err


async def test_a_twilio_that_cannot_be_reached_is_exit_code_3(
    twilio: TwilioRest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("TWILIO_API_URL", "http://127.0.0.1:9")
    assert await said("list") == 3
    assert "Twilio cannot be reached" in capsys.readouterr().err
