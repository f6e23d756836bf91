from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests.doubles.recorded_call import booking
from voicebot import commands
from voicebot.commands import run
from voicebot.errors import BadInput, MissingExtra, Unavailable, VoicebotError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """`voicebot fail` raises whatever the test says."""

    def install(error: BaseException) -> None:
        app = typer.Typer()

        @app.command()
        def fail() -> None:
            raise error

        @app.command()
        def other() -> None: ...

        monkeypatch.setattr(commands, "app", app)

    return install


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("agents/ava.yaml:14:5 unknown key 'promt'."), 2),
        (Unavailable("no network."), 3),
        (MissingExtra("Deepgram", "cloud"), 3),
        (VoicebotError("3 of 20 calls failed."), 1),
    ],
)
def test_an_error_on_purpose_is_one_sentence_and_its_own_exit_code(
    error: VoicebotError, code: int, failing, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(error)
    assert run(["fail"]) == code
    captured = capsys.readouterr()
    assert captured.err == f"error: {error}\n"
    assert captured.out == ""


def test_an_error_out_of_a_task_group_is_the_same_sentence(failing, capsys: pytest.CaptureFixture[str]) -> None:
    inner = ExceptionGroup("tasks", [ValueError("aside"), ExceptionGroup("more", [Unavailable("no sound card.")])])
    failing(inner)
    assert run(["fail"]) == 3
    assert capsys.readouterr().err == "error: no sound card.\n"


def test_an_unforeseen_error_is_one_sentence_and_its_traceback_is_kept(
    failing, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(KeyError("slots"))
    assert run(["fail"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: unexpected KeyError: 'slots'. This is a bug in voicebot. The traceback is in ")
    assert said.count("\n") == 1
    kept = Path(said.split(" is in ")[1].split(";")[0])
    assert "in fail" in kept.read_text()
    kept.unlink()


@pytest.mark.parametrize("line", [["fail", "--debug"], ["--debug", "fail"]])
def test_debug_shows_the_traceback_wherever_it_stands(
    line: list[str], failing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    failing(KeyError("slots"))
    assert run(line) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_ctrl_c_exits_with_130_and_says_nothing(failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(KeyboardInterrupt())
    assert run(["fail"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["frobnicate"], "No such command 'frobnicate'. See: voicebot --help"),
        (["calls", "show", "--turn", "x"], "See: voicebot calls show --help"),
        (["sql", "--jason"], "No such option: --jason"),
    ],
)
def test_a_wrong_line_is_one_sentence_that_names_the_help(
    line: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_nothing_at_all_shows_the_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    shown = capsys.readouterr().out
    assert "voicebot demo" in shown
    assert "\x1b" not in shown


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("voicebot 0.")


def test_every_command_has_an_example_and_the_common_options() -> None:
    def walk(name: str, command):
        for each, below in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {each}", below)
        if not hasattr(command, "commands"):
            yield name, command

    found = dict(walk("voicebot", typer.main.get_command(commands.app)))
    assert {"voicebot demo", "voicebot talk", "voicebot sql", "voicebot calls show"} <= set(found)
    for name, command in found.items():
        assert f"  {name.removesuffix(' -')}" in (command.help or ""), f"{name} --help has no example"
        options = {option for parameter in command.params for option in parameter.opts}
        if name != "voicebot studio":  # nothing but a screen: there is no result to print, and NO_COLOR is heard
            assert {"--quiet", "--no-color"} <= options, name


@pytest.mark.parametrize(
    "line", ["calls list", "calls show last", "sql 'from events'", "calls export -f json", "--help"]
)
def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path, line: str) -> None:
    for n in range(30):
        booking(f"call-{n:02}").write(tmp_path / "calls", audio=False)
    python = shlex.quote(sys.executable)
    script = f"set -o pipefail; {python} -c 'from voicebot.commands import main; main()' {line} | true"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_commands_without_a_call_never_load_the_engine(tmp_path: Path) -> None:
    booking("a").write(tmp_path / "calls")
    heavy = ("pipecat", "langgraph", "langchain_core", "onnxruntime", "pocketsphinx", "numpy", "textual")
    for line in (["calls", "list"], ["calls", "show", "last"], ["sql", "from calls"], ["talk"]):
        code = (
            "import sys; from voicebot.commands import run; run(sys.argv[1:]);"
            f"sys.exit(', '.join(name for name in {heavy!r} if name in sys.modules) or 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *line], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stderr)
