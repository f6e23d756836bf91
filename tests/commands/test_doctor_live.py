"""`voicebot doctor --live`: real providers of a project, asked again and again; one is a server of ours that breaks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import project
from voicebot.commands import run

KEY = "sk-this-must-never-be-shown"


@contextmanager
def serving(*answers: Answer) -> Iterator[OpenAIEndpoint]:
    """The endpoint on a loop of its own: the command has one, too."""
    endpoint = OpenAIEndpoint(*answers)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(endpoint.__aenter__(), loop).result(10)
        yield endpoint
    finally:
        asyncio.run_coroutine_threadsafe(endpoint.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def agent(root: Path, endpoint: OpenAIEndpoint) -> None:
    brain = {"llm": ["openai/double"], "prompt": "You are Ava.", "base_url": endpoint.url}
    project(root, brain, voice={"stt": ["sphinx"], "tts": ["espeak"]})


def watched(root: Path, capsys: pytest.CaptureFixture[str], *, code: int) -> dict[str, dict[str, object]]:
    assert run(["doctor", "--live", str(root), "--for", "1", "--every", "0.5", "--json"]) == code
    captured = capsys.readouterr()
    assert KEY not in captured.out + captured.err
    return {row["kind"]: row for row in json.loads(captured.out)}


@pytest.mark.usefixtures("key")
def test_every_provider_of_the_project_is_asked_for_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(answer("OK.", first_s=0.05)) as endpoint:
        agent(tmp_path, endpoint)
        rows = watched(tmp_path, capsys, code=0)
    assert [(row["kind"], row["name"]) for row in rows.values()] == [
        ("stt", "sphinx"),
        ("llm", "openai/double"),
        ("tts", "espeak"),
    ]
    for row in rows.values():
        assert row["tries"], row
        assert (row["failures"], row["error"], row["passed_over"]) == (0, "", "")
        assert row["p50_ms"] <= row["p95_ms"]  # type: ignore[operator]  # both are numbers
    assert rows["llm"]["p50_ms"] >= 50  # type: ignore[operator]
    assert len(endpoint.requests[0]["messages"]) == 1


@pytest.mark.usefixtures("key")
def test_one_that_fails_is_shown_with_its_reason_and_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(answer(status=401, error=f"no such key {KEY}")) as endpoint:
        agent(tmp_path, endpoint)
        rows = watched(tmp_path, capsys, code=3)
    assert rows["llm"]["failures"] == rows["llm"]["tries"]
    assert "does not accept the key in OPENAI_API_KEY" in str(rows["llm"]["error"])
    assert rows["tts"]["failures"] == 0


def test_ctrl_c_ends_it_with_what_was_seen(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "bea.yaml").write_text(
        "name: Bea\ngreeting: Hello.\nvoice: {stt: sphinx, tts: espeak}\n"
        "flow: {goals: {hours: {title: ask, examples: [when], done: From nine to five.}}}\n"
    )
    command = [str(Path(sys.executable).with_name("voicebot")), "doctor", "--live", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}, text=True)
    assert process.stderr
    assert "Ctrl-C ends it" in process.stderr.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    lines = [line.split("\t")[:2] for line in out.splitlines()]
    assert lines == [["stt", "sphinx"], ["tts", "espeak"]]
    assert process.returncode in (0, 3)  # 3: nobody had answered yet


def test_without_agents_there_is_nobody_to_ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--live", str(tmp_path)]) == 2
    assert "no agents in" in capsys.readouterr().err


def test_its_options_mean_nothing_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--for", "5"]) == 2
    assert "voicebot doctor --live --for" in capsys.readouterr().err
