"""The Dockerfile: clean, and of one mind with the Makefile, pyproject.toml and the command line."""

from __future__ import annotations

import http.server
import json
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer


@pytest.fixture(scope="module")
def instructions(deploy: Path) -> list[tuple[str, str]]:
    """(instruction, the rest) of every line, those that go on joined."""
    text = re.sub(r"^#.*\n", "", (deploy / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.strip() for line in re.sub(r"\\\n", " ", text).splitlines()]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines if line]


def last(instructions: list[tuple[str, str]], name: str) -> str:
    return [rest for instruction, rest in instructions if instruction == name][-1]


def test_the_linter_finds_nothing(hadolint: str, deploy: Path) -> None:
    done = subprocess.run([hadolint, str(deploy / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_linter_would_find_something(hadolint: str) -> None:
    done = subprocess.run([hadolint, "-"], input="FROM python\nRUN cd x\n", capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_it_runs_as_nobody_in_particular_and_stops_by_draining(instructions: list[tuple[str, str]]) -> None:
    user, _, group = last(instructions, "USER").partition(":")
    assert int(user) > 1000 < int(group)
    assert last(instructions, "STOPSIGNAL") == "SIGTERM"


def test_what_it_starts_is_a_command_that_exists(instructions: list[tuple[str, str]]) -> None:
    from voicebot.commands import app

    words = json.loads(last(instructions, "ENTRYPOINT")) + json.loads(last(instructions, "CMD"))
    command: Any = typer.main.get_command(app)
    assert words[:2] == ["voicebot", "serve"]
    context = command.commands["serve"].make_context("serve", words[2:])  # raises when an option is unknown
    assert str(context.params["host"]) == "0.0.0.0"


def test_everything_of_the_package_is_copied_and_nothing_is_ignored(
    instructions: list[tuple[str, str]], root: Path, deploy: Path
) -> None:
    copied = {
        name for key, rest in instructions if key == "COPY" and "--from" not in rest for name in rest.split()[:-1]
    }
    project = tomllib.loads((root / "pyproject.toml").read_text())
    needed = {"voicebot", *project["tool"]["setuptools"]["package-dir"].values(), *project["project"]["license-files"]}
    assert needed | {"pyproject.toml", project["project"]["readme"]} <= copied
    assert [name for name in copied if not (root / name).exists()] == []
    kept = {line[1:] for line in (deploy / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == copied


def test_its_parts_are_extras_and_its_versions_those_of_the_makefile(
    instructions: list[tuple[str, str]], root: Path
) -> None:
    arguments = dict(rest.split("=", 1) for key, rest in instructions if key == "ARG")
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = shlex.split(arguments["EXTRAS"])[0].split()
    assert {"server", "postgres"} <= set(extras) <= set(project["optional-dependencies"])
    assert arguments["PYTHON"] == project["requires-python"].removeprefix(">=")
    uv = re.search(r"^UV_VERSION := (\S+)", (root / "Makefile").read_text(), re.MULTILINE)
    assert uv
    assert f"uv=={uv[1]} " in " ".join(rest for key, rest in instructions if key == "RUN")


def test_whatever_is_installed_has_a_hash(instructions: list[tuple[str, str]], root: Path) -> None:
    installs = [
        step for key, rest in instructions if key == "RUN" for step in rest.split("&&") if "uv pip install" in step
    ]
    assert len(installs) == 3
    assert [step for step in installs if "--require-hashes" not in step and "--no-deps" not in step] == []
    assert re.search(r"^setuptools==", (root / "requirements" / "extras.txt").read_text(), re.MULTILINE)


class _Answers(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def answering() -> Iterator[http.server.HTTPServer]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "well"), [(200, True), (500, False)])
def test_its_health_is_that_of_the_server(
    instructions: list[tuple[str, str]],
    answering: http.server.HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    well: bool,
) -> None:
    monkeypatch.setattr(_Answers, "status", status)
    python, option, code = json.loads(last(instructions, "HEALTHCHECK").partition("CMD ")[2])
    assert (python, option) == ("python", "-c")
    code = code.replace(":8080/", f":{answering.server_address[1]}/")
    assert (subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0) is well
