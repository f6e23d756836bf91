"""`voicebot serve`: what it refuses to start with, and what it shows when it has."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.doubles.project import project
from voicebot.commands import run, serve_screen
from voicebot.commands.terminal import Screen
from voicebot.server.processes.crew import Report, Served
from voicebot.server.settings import Settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."})
    return tmp_path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "70000"], "--port: 70000 is not between"),
        (["--workers", "0"], "--workers: 0"),
        (["--calls", "0"], "--calls: 0"),
        (["--drain", "soon"], "--drain: 'soon' is no time"),
        (["--log", "jsn"], "Did you mean 'json'?"),
        (["--public-url", "voice.example.com"], "--public-url: 'voice.example.com' is no web address"),
        (["--allow-origin", "*"], "--allow-origin: '*'"),
        (["--overflow", "reception"], "--overflow: 'reception'"),
        (["--redis", "redis://localhost"], "--advertise"),
        *(
            (["--udp-ports", wrong], f"--udp-ports: '{wrong}' is no range of ports from 1024 to 65535. Write it as")
            for wrong in ("50000", "50199-50000", "80-90", "50000-70000", "50000-50199-50200", "many")
        ),
    ],
)
def test_a_wrong_option_is_one_sentence(
    root: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", str(root), *options]) == 2
    assert sentence in capsys.readouterr().err


def test_options_come_from_the_environment_too(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICEBOT_PROJECT", str(root))
    monkeypatch.setenv("VOICEBOT_PUBLIC_URL", "nowhere")
    assert run(["serve"]) == 2
    assert "--public-url: 'nowhere'" in capsys.readouterr().err


def test_a_folder_without_agents_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", str(tmp_path)]) == 2
    assert "no agents in" in capsys.readouterr().err


def test_a_missing_package_says_what_to_install(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run(["serve", str(root)]) == 3
    assert 'pip install "voicebot[server]"' in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert run(["serve", str(root), "--port", str(other.getsockname()[1])]) == 3
    assert "is taken by another program" in capsys.readouterr().err


def test_agents_of_which_none_can_be_called_are_said_so(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text("name: Ava\ngreetin: Hello\n")
    program = Path(sys.executable).with_name("voicebot")
    done = subprocess.run(
        [program, "serve", tmp_path, "--port", "0"], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 2
    assert "greetin" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_supervisor_is_light() -> None:
    program = (
        "import sys, voicebot.server.processes.supervisor; from voicebot.server.capacity.strain import rss_bytes;"
        "heavy = {'pipecat', 'fastapi', 'uvicorn', 'numpy', 'sqlalchemy', 'httpx', 'voicebot.call'} & set(sys.modules);"
        "print(sorted(heavy), rss_bytes())"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    heavy, _, size = out.rpartition(" ")
    assert heavy == "[]"
    assert 0 < int(size) < 80 * 2**20


def shown(settings: Settings, report: Report) -> str:
    screen = Screen()
    with open(os.devnull, "w") as nowhere:
        screen.err = Console(file=nowhere, record=True, width=200)
        serve_screen.show(screen, settings, report, as_json=False, drawn=True)
        return screen.err.export_text()


def test_the_screen_says_where_everything_is_and_what_is_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN", raising=False)
    agents = [Served(name="ava", stt="sphinx", tts="espeak", brain="flow")]
    text = shown(
        Settings(project=root, port=8123, workers=2, calls=30),
        Report(agents=agents, broken=["agents/b.yaml:3 no voice [x]"]),
    )
    assert "http://127.0.0.1:8123" in text
    assert "2 workers, up to 30 calls each (as told)" in text
    assert "sphinx · flow · espeak" in text
    assert "agents/b.yaml:3 no voice [x]" in text
    assert "ws://127.0.0.1:8123/v1/agents/NAME/stream" in text
    assert "needs TWILIO_AUTH_TOKEN" in text
    assert f"voicebot keys create NAME --scope calls:stream --project {root}" in text
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "do-not-show-me")
    text = shown(Settings(project=root, public_url="https://voice.example.com"), Report(agents=agents, keys=2))
    assert "https://voice.example.com/twilio/voice/NAME" in text
    assert "keys create" not in text
    assert "do-not-show-me" not in text


def test_json_is_one_document_on_stdout(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(agents=[Served(name="ava")])
    settings = Settings(project=root, host="::1", port=8123, workers=2, calls=30)
    serve_screen.show(Screen(quiet=True), settings, report, as_json=True, drawn=True)
    told = json.loads(capsys.readouterr().out)
    assert told["url"] == "http://[::1]:8123"
    assert (told["workers"], told["calls"], told["calls_per_worker"], told["agents"]) == (2, 60, 30, ["ava"])
