"""The command line answers at once: no command loads the engine before it needs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

FLOOR = "import rich.console, rich.table, typer; typer.Typer()"
COMMAND_LINE = "import sys; sys.argv = ['voicebot', '--help']; from voicebot.commands import main; main()"
MAX_RATIO = 2.0
ROUNDS = 9
HEAVY = [
    "aiohttp", "aiortc", "av", "dateparser", "duckdb", "elevenlabs", "fastapi", "langchain_core", "langchain_openai",
    "langgraph", "nltk", "numpy", "onnxruntime", "openai", "phonenumbers", "pipecat", "pocketsphinx", "soxr",
    "textual", "twilio", "voicebot.agent", "voicebot.call", "voicebot.pipeline",
]  # fmt: skip
"""What no help page may load. Pydantic is not among them: Typer itself loads it for a command with parameters."""


def cpu_s(code: str) -> float:
    """CPU seconds, user and system, of one fresh interpreter that runs `code`."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, cwd="/")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, code
    return usage.ru_utime + usage.ru_stime


def test_help_costs_at_most_twice_typer_and_rich() -> None:
    """Noise only ever adds CPU time, so the least of several rounds is compared, until it is good or time is up."""
    floor = command_line = float("inf")
    for _ in range(ROUNDS):
        floor = min(floor, cpu_s(FLOOR))
        command_line = min(command_line, cpu_s(COMMAND_LINE))
        if command_line <= MAX_RATIO * floor:
            return
    pytest.fail(f"voicebot --help takes {command_line:.2f} s of CPU, typer and rich alone {floor:.2f} s")


LOADED = """
import sys
from voicebot.commands import main
sys.argv = ["voicebot", *sys.argv[1:]]
try:
    main()
finally:
    print("LOADED", *[name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""


def commands() -> list[str]:
    """The names of all commands, read off the Typer application itself."""
    code = """
import typer
from voicebot.commands import app
print(*typer.main.get_command(app).commands)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    return done.stdout.split()


def test_asking_for_help_loads_no_engine(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    questions = [["--help"], ["--version"], *([command, "--help"] for command in commands())]
    assert len(questions) > 4
    for question in questions:
        done = python(LOADED.format(heavy=HEAVY), *question)
        assert done.returncode == 0, (question, done.stderr)
        assert done.stderr.split("LOADED")[1].split() == [], question
