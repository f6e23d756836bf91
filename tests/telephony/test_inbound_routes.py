"""POST /twilio/voice: phone.yaml says who answers, the file as it is now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="FastAPI is not installed (extra 'server')")
pytest.importorskip("twilio", reason="Twilio's SDK is not installed (extra 'phone')")

from tests.doubles.phone_server import served
from tests.doubles.twilio_caller import CALLEE, TOKEN, Exchange
from voicebot.server.twilio.signature import SETTING

RULES = f"""
language: en
numbers:
  {CALLEE}:
    rules:
      - {{name: annoying, callers: "+15550111", voicemail: "Please write to us."}}
      - {{name: boss, callers: "+15550122", number: "+12025550177"}}
      - {{name: full, below: 1, callers: "+15550133", agent: ava}}
      - {{name: germans, language: de, voicemail: "Wir sind nicht da."}}
      - {{name: nobody's, callers: "+15550133", voicemail: "Ava is busy."}}
    agent: ava
"""


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


async def test_the_rules_of_the_number_decide_and_the_books_say_which(tmp_path: Path):
    async with served(tmp_path) as server:
        (tmp_path / "phone.yaml").write_text(RULES.replace("+15550199", CALLEE))
        exchange, calls = Exchange(server.address), server.site.state.calls

        (connect,) = await exchange.ring("+15550100").ask("/twilio/voice?campaign=spring")
        assert connect.name == "Connect"
        say, record, hang_up = await (annoying := exchange.ring("+15550111")).ask("/twilio/voice")
        assert (say.text, say.attributes["language"]) == ("Please write to us.", "en-US")
        assert (record.name, hang_up.name) == ("Record", "Hangup")
        (dial,) = await (boss := exchange.ring("+15550122")).ask("/twilio/voice")
        assert (dial.name, dial.text) == ("Dial", "+12025550177")
        say, *_ = await exchange.ring("+15550100").ask("/twilio/voice?language=de")
        assert (say.text, say.attributes["language"]) == ("Wir sind nicht da.", "de-DE")

        rows = {row.outside_id: row for row in (await calls.list()).rows}
        assert (rows[boss.sid].reason, rows[boss.sid].detail) == ("forwarded", "+12025550177")
        (first,) = [row for row in rows.values() if row.agent == "ava"]
        assert dict(first.parameters) == {"campaign": "spring", "route": "otherwise"}

        url = record.attributes["action"]
        message = {"RecordingUrl": "https://api.twilio.com/RE1", "RecordingDuration": "12"}
        for _ in range(2):
            assert [verb.name for verb in await annoying.ask(url, **message)] == ["Hangup"]
        row = await calls.get(rows[annoying.sid].id)
        assert row is not None
        assert (row.reason, row.detail, row.agent) == ("voicemail", "https://api.twilio.com/RE1 (12 s)", "")
        busy, _ = await boss.ask(dial.attributes["action"], DialCallStatus="busy")
        assert busy.text.startswith("Nobody can be reached there")


async def test_a_rule_counts_the_calls_that_its_agent_has(tmp_path: Path):
    async with served(tmp_path) as server:
        (tmp_path / "phone.yaml").write_text(RULES.replace("+15550199", CALLEE))
        exchange = Exchange(server.address)
        first, *_ = await exchange.ring("+15550133").ask("/twilio/voice")
        second, *_ = await exchange.ring("+15550133").ask("/twilio/voice")
        assert (first.name, second.text) == ("Connect", "Ava is busy.")


async def test_the_file_may_change_and_break_while_calls_come(tmp_path: Path):
    async with served(tmp_path) as server:
        exchange, file = Exchange(server.address), tmp_path / "phone.yaml"
        say, _ = await exchange.ring().ask("/twilio/voice")
        assert say.text.startswith("We cannot take your call right now.")
        _written(file, f"numbers: {{'{CALLEE}': {{voicemail: One.}}}}", 1)
        assert (await exchange.ring().ask("/twilio/voice"))[0].text == "One."
        _written(file, f"numbers: {{'{CALLEE}': {{voicemail: Two.}}}}", 2)
        assert (await exchange.ring().ask("/twilio/voice"))[0].text == "Two."
        _written(file, "numbers: [", 3)
        assert (await exchange.ring().ask("/twilio/voice"))[0].text == "Two."
        _written(file, "numbers: {}", 4)
        assert (await exchange.ring().ask("/twilio/voice"))[0].text.startswith("Nobody can be reached")


def _written(file: Path, text: str, number: int) -> None:
    """With a time of its own: a disk may keep it to the second."""
    file.write_text(text)
    os.utime(file, (number, number))


async def test_a_webhook_that_is_not_twilios_learns_nothing(tmp_path: Path):
    async with served(tmp_path) as server:
        (tmp_path / "phone.yaml").write_text(RULES)
        exchange = Exchange(server.address)
        for path in ("/twilio/voice", "/twilio/voicemail/20260131-174502-9f86d0"):
            form = exchange.ring().form()
            assert (await exchange.post(path, form, {"X-Twilio-Signature": "x"})).status_code == 403
        assert (await exchange.post("/twilio/voice", {"From": "+1"})).status_code == 400
