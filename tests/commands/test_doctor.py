from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicebot import project
from voicebot.commands import checkup, run
from voicebot.tts.espeak import Espeak

SECRET = "sk-this-must-never-be-shown"


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project.create(tmp_path / "mine", "dental")
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path / "mine"


def found(capsys: pytest.CaptureFixture[str], *, code: int = 0) -> dict[str, dict[str, str]]:
    assert run(["doctor", "--json"]) == code
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)}


def test_everything_needed_is_tried_and_works_here(capsys: pytest.CaptureFixture[str]) -> None:
    checks = found(capsys)
    assert checks["speech to text"]["detail"].startswith("sphinx hears 'yes please'")
    for name in ("Python", "text to speech", "voice activity", "end of turn", "speech to text", "agents/ava.yaml"):
        assert checks[name]["state"] == "ok", checks[name]
    assert "stt sphinx (the first that can run here; not deepgram: " in checks["agents/ava.yaml"]["detail"]


def test_keys_are_looked_for_and_never_shown(
    mine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = {check.name: check for check in checkup.available(mine)}["llm openai"]
    assert (without.state, "OPENAI_API_KEY is not set" in without.detail) == ("absent", True)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert run(["doctor"]) == 0
    captured = capsys.readouterr()
    assert "OPENAI_API_KEY is set" in captured.out
    assert SECRET not in captured.out + captured.err


def test_a_part_that_does_not_work_is_broken_and_exits_with_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(self: Espeak) -> None:
        raise OSError("no espeak-ng-data")

    monkeypatch.setattr(Espeak, "load", broken)
    check = found(capsys, code=3)["text to speech"]
    assert (check["state"], check["detail"]) == ("broken", "OSError: no espeak-ng-data")


def test_a_bad_agent_file_is_shown_with_its_place(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mine / "agents" / "eve.yaml").write_text("name: Eve\nprompt: hi\n")
    check = found(capsys, code=3)["agents/eve.yaml"]
    assert check["state"] == "broken"
    assert check["detail"].startswith("agents/eve.yaml:2:1 unknown key 'prompt'")


def test_a_missing_extra_comes_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "_installed", lambda name: name != "pyaudio")
    (mic,) = checkup.extras()
    assert (mic.state, mic.detail, mic.remedy) == ("absent", "without pyaudio", 'pip install "voicebot[mic]"')


def test_outside_a_project_it_says_how_to_get_one(tmp_path: Path) -> None:
    (check,) = checkup.agents(tmp_path)
    assert (check.state, check.remedy) == ("absent", "voicebot new front-desk")
