"""`voicebot phone route`, `call` and `batch`: what they print, and what they exit with."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from pathlib import Path

import pytest

from voicebot.commands import run

pytest.importorskip("fastapi", reason="FastAPI is not installed (extra 'server')")
pytest.importorskip("twilio", reason="Twilio's SDK is not installed (extra 'phone')")

from tests.doubles.outbound_calls import FROM, PHONE_YAML, Scene, calling_out
from tests.doubles.serve_process import ROOT
from tests.doubles.twilio_rest import Phone

TO = "+12025550123"
RULES = f"""
timezone: Europe/Berlin
hours: {{office: {{open: {{mon-fri: 09:00-17:00}}}}}}
numbers:
  {FROM}:
    rules:
      - {{name: closed, outside: office, voicemail: We are closed.}}
      - {{below: 3, agent: ava}}
    number: +12025550177
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text("name: Ava\n")
    (tmp_path / "phone.yaml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def routed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert run(["phone", "route", "--to", FROM, *words]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_route_says_which_rule_decides_and_why_the_others_do_not(capsys: pytest.CaptureFixture[str], project: Path):
    out, _ = routed(capsys, "--at", "2026-11-23 12:00")
    assert out.splitlines() == [
        "no   closed: 'office' is open",
        "yes  rule 2: ava has 0 calls, fewer than 3",
        f"{FROM} at Mon 2026-11-23 12:00 CET: agent ava, by 'rule 2'",
    ]
    assert routed(capsys, "--at", "2026-11-22T12:00+01:00", "--quiet")[0] == "We are closed.\n"
    assert routed(capsys, "--at", "2026-11-23 12:00", "--load", "ava=3", "--quiet")[0] == "+12025550177\n"
    facts = json.loads(routed(capsys, "--at", "2026-11-23 12:00", "--json")[0])
    assert (facts["kind"], facts["target"], facts["rule"]) == ("agent", "ava", "rule 2")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--at", "noon"], "--at: 'noon' is no time. Write it as '2026-12-24 18:30'."),
        (["--from", "12345"], "'12345' is no telephone number."),
        (["--load", "ava"], "--load: 'ava' is not an agent and its calls."),
    ],
)
def test_route_refuses_what_it_cannot_read(
    capsys: pytest.CaptureFixture[str], project: Path, words: list[str], sentence: str
):
    assert sentence in routed(capsys, *words, code=2)[1]


def test_without_phone_yaml_the_next_step_is_said(capsys: pytest.CaptureFixture[str], project: Path):
    (project / "phone.yaml").unlink()
    assert "there is no phone.yaml" in routed(capsys, code=2)[1]
    assert run(["phone", "call", TO, "--agent", "ava"]) == 2
    assert "phone.yaml has no 'outbound'" in capsys.readouterr().err


async def called(scene: Scene, *words: str) -> int:
    """`phone call`, beside the server that makes the call."""
    return await asyncio.to_thread(run, ["phone", "call", TO, "--agent", "ava", "--server", _url(scene), *words])


def _url(scene: Scene) -> str:
    return f"http://{scene.server.address}"


async def test_a_call_by_a_running_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    async with calling_out(tmp_path, monkeypatch) as scene:
        monkeypatch.setenv("VOICEBOT_API_KEY", scene.key)
        scene.twilio.phones[TO] = Phone("busy")
        assert await called(scene, "--vars", "name=Maria") == 1
        assert f"{TO}: busy (SIP 486)" in capsys.readouterr().err
        assert await called(scene) == 2
        assert "no variable 'name'" in capsys.readouterr().err
        assert await called(scene, "--vars", "name=Maria", "--retries", "1", "--retry-after", "1s", "--json") == 1
        assert json.loads(capsys.readouterr().out)["outcome"] == "busy"
        assert scene.dialled(TO) == 3
        monkeypatch.setenv("VOICEBOT_API_KEY", "vb_wrong")
        assert await called(scene, "--vars", "name=Maria") == 2
        assert "voicebot keys create" in capsys.readouterr().err


async def batch(scene: Scene, root: Path, *words: str) -> tuple[int, str, str]:
    """As a process: it listens to signals."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("voicebot")), "phone", "batch", *words,
        cwd=root, env={**os.environ, "VOICEBOT_API_KEY": scene.key, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(300):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_batch_by_a_running_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no.txt").write_text("+12025550125\n")
    (tmp_path / "list.csv").write_text(
        f"number,name\n{TO},Maria\n+12025550124,Jo\n+12025550125,Al\n12,Bo\n{TO},Maria again\n"
    )
    text = PHONE_YAML.replace("ring: 20s", "ring: 20s, do_not_call: no.txt")
    async with calling_out(tmp_path, monkeypatch, text) as scene:
        scene.twilio.phones |= {TO: Phone("busy"), "+12025550124": Phone("no-answer")}
        line = ("list.csv", "--agent", "ava", "--server", _url(scene), "--per-minute", "0")
        code, out, err = await batch(scene, tmp_path, *line, "--out", "done.csv")
        assert code == 0, err
        assert "batch list: 4 numbers; 1 lines repeat a number and are left out" in err
        assert {tuple(each.split()) for each in out.splitlines()[-4:]} == {
            ("busy", "1"), ("no", "answer", "1"), ("not", "called", "1"), ("invalid", "1"),
        }  # fmt: skip
        rows = {row["number"]: row for row in csv.DictReader((tmp_path / "done.csv").open())}
        assert {number: row["outcome"] for number, row in rows.items()} == {
            TO: "busy", "+12025550124": "no_answer", "+12025550125": "not_called", "12": "invalid",
        }  # fmt: skip
        (tmp_path / "list.csv").write_text(f"number,name\n{TO},Maria\n+12025550126,New\n")
        scene.twilio.phones["+12025550126"] = Phone("failed")
        code, out, err = await batch(scene, tmp_path, *line, "--json")
        assert json.loads(out)["counts"] == {"busy": 1, "no_answer": 1, "not_called": 1, "invalid": 1, "failed": 1}
        assert [scene.dialled(number) for number in (TO, "+12025550125", "+12025550126")] == [1, 0, 1]
        assert await asyncio.to_thread(run, ["phone", "batch", "status", "--json"]) == 0
        (shown,) = json.loads(capsys.readouterr().out)
        assert (shown["name"], shown["agent"], sum(shown["counts"].values())) == ("list", "ava", 5)
        assert await asyncio.to_thread(run, ["phone", "batch", "status", "lst"]) == 2
        assert "no batch 'lst'. Did you mean 'list'?" in capsys.readouterr().err
