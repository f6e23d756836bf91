"""The log of a process: which call a line belongs to, and what is taken out of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from voicebot import commands, config, logs
from voicebot.logs import InCall, redaction

KEY = "planted-0123456789"

IN_A_CALL = """
import asyncio, logging, threading
from loguru import logger
from voicebot import logs
logs.begin("json", level="INFO")

async def later(place):
    await asyncio.sleep(0.05)
    logging.getLogger("a.library").warning("of a task")
    await asyncio.to_thread(logging.getLogger("a.library").warning, "of a thread")

async def main():
    place = logs.InCall("c1", turn=1)
    with logs.inside(place):
        task = asyncio.create_task(later(place))
    place.turn = 2
    logging.getLogger("a.library").warning("of nobody")
    logging.getLogger("a.library").warning("%d", "not a number")
    await task

asyncio.run(main())
"""


def test_a_line_has_its_call_and_the_turn_that_this_is_in_now() -> None:
    done = subprocess.run([sys.executable, "-c", IN_A_CALL], capture_output=True, text=True, check=True, timeout=100)
    lines = {line["message"]: line for line in map(json.loads, done.stderr.splitlines())}
    for message in ("of a task", "of a thread"):
        assert (lines[message]["call"], lines[message]["turn"]) == ("c1", 2)
    assert "call" not in lines["of nobody"]
    assert lines["%d"]["by"] == "a.library", "a library's mistake is a line, too"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Authorization: Bearer abc123def456ghi", "Authorization: Bearer [key]"),
        ("Incorrect API key provided: sk-proj-abcdefghijklmnop0123", "Incorrect API key provided: [key]"),
        ('{"xi-api-key": "0123456789abcdef"}', '{"xi-api-key": "[key]"}'),
        ("postgresql://voicebot:pa55word@db/voicebot", "postgresql://voicebot:[key]@db/voicebot"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl went", "[key] went"),
        ("vb_k3x9p2m4q7ab_0123456789012345678901234567890123456789012 is new", "[key] is new"),
        ("ValueError: my card is 4111 1111 1111 1111", "ValueError: my card is [card]"),
        ("cannot parse 'my name is nina lopez'", "cannot parse 'my name is [name]'"),
        ("failed on ['sarah speaking']", "failed on ['[name] speaking']"),
        ('{"ssn": "412-55-9087"}', '{"ssn": "[ssn]"}'),
        ("call me on two one two five five five oh one two three", "call me on [phone]"),
    ],
)
def test_keys_and_private_data_are_taken_out(said: str, written: str) -> None:
    assert logs.hidden(said) == written


@pytest.mark.parametrize(
    "line",
    [
        "call 20261123-115636-ab12cd begins: twilio, ava",
        "Twilio asks again what to do with CA2f8e1c07b94d6a35908172635445f6e7, and that call is over",
        "ready: http://127.0.0.1:43211",
        "2026-11-23 11:56:36.123 worker 2 ended with code -9; it had 25 calls",
        "agents/ava.yaml:14:5 unknown provider 'deepgrm'. Did you mean 'deepgram'?",
        "no new calls: 1536 MiB of memory are left, and 1000 tokens: enough",
    ],
)
def test_what_is_nobodys_secret_stays(line: str) -> None:
    assert logs.hidden(line) == line


def test_the_language_is_that_of_the_call() -> None:
    said = "meine kartennummer ist vier eins eins eins eins eins eins eins eins eins eins eins eins eins eins eins"
    assert "eins eins" not in logs.hidden(said, InCall("c", "de"))


def test_settings_that_are_keys_are_known_wherever_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / config.ENV_FILE).write_text(f"ACME_TOKEN={KEY}\nGREETING=good-morning-all\nSHORT_KEY=abc\n")
    assert config.key("GREETING", tmp_path)
    assert logs.hidden(f"good-morning-all, abc, {KEY}") == "good-morning-all, abc, [key]"
    monkeypatch.setenv("OTHER_SECRET", "another-9876543210")
    assert config.key("OTHER_SECRET")
    assert "another" not in logs.hidden("<another-9876543210>")


def test_a_line_is_short_and_redaction_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(logs.hidden("my card is 4111 1111 1111 1111. " * 10_000)) < redaction.LONGEST + 20

    def broken(text: str) -> str:
        raise RuntimeError(text)

    written = logs.hidden("my card is 4111 1111 1111 1111", InCall("c", hide=broken))
    assert not re.search(r"\d", written)


def test_the_traceback_of_a_bug_holds_no_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLANTED_API_KEY", KEY)
    config.key("PLANTED_API_KEY")

    def bug(**_: object) -> None:
        raise RuntimeError(f"refused: {KEY}, caller 4111 1111 1111 1111")

    monkeypatch.setattr(commands, "app", bug)
    assert commands.run(["talk"]) == 1
    said = capsys.readouterr().err
    saved = re.search(r"traceback is in (\S+);", said)
    assert saved
    traceback = Path(saved[1]).read_text()
    assert "RuntimeError: refused: [key], caller [card]" in traceback
    assert KEY not in said + traceback
    assert "4111" not in traceback
