"""`voicebot talk` over the real engine: typed, and from a sound file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pexpect
import pytest
import soundfile
import soxr

from voicebot import project
from voicebot.commands import run
from voicebot.events import parse
from voicebot.tts.espeak import Espeak

MAIN = "from voicebot.commands import main; main()"


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "mine"
    project.create(folder, "dental")
    return folder


@pytest.fixture
def mine(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a project with one agent."""
    monkeypatch.chdir(project_folder)
    return project_folder


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets what comes through stdin, a pipe."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)

        def types(text: str) -> None:
            os.write(writer, text.encode())
            os.close(writer)

        yield types


async def spoken(text: str, path: Path) -> None:
    """`text` as a 44.1 kHz stereo WAV, with a second of silence before it, after the greeting."""
    espeak = Espeak("en-us+f2")
    await espeak.load()
    chunks = [chunk async for chunk in espeak.speak(text)]
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), np.int16) / 32768
    at_44k = soxr.resample(samples, chunks[0].rate_hz, 44100)
    lead = np.random.default_rng(1).normal(0, 1e-4, 5 * 44100)
    mono = np.concatenate((lead, at_44k, np.zeros(44100)))
    soundfile.write(path, np.stack([mono, mono], axis=1), 44100)


def test_a_conversation_can_be_typed_through_a_pipe(mine: Path, typed, capsys: pytest.CaptureFixture[str]) -> None:
    typed("I need a cleaning\nthursday at three\n")
    assert run(["talk", "--text"]) == 0
    captured = capsys.readouterr()
    lines = [line.split(None, 2) for line in captured.out.splitlines()[2:]]
    assert [line[1:] for line in lines if line[1] in ("caller", "agent")][:3] == [
        ["agent", "Bright Smile Dental, this is Ava. How can I help you?"],
        ["caller", "I need a cleaning"],
        ["agent", "Which day would suit you?"],
    ]
    assert "call ended: input ended" in captured.out
    assert captured.err.startswith("recorded in calls/")


def test_json_is_every_event_and_nothing_else(mine: Path, typed, capsys: pytest.CaptureFixture[str]) -> None:
    typed("bye\n")
    assert run(["talk", "ava", "--text", "--json"]) == 0
    captured = capsys.readouterr()
    events = [parse(line) for line in captured.out.splitlines()]
    assert (events[0].type, events[-1].type) == ("call_started", "call_ended")
    assert captured.err == ""


def test_quietly_only_the_words_are_left(mine: Path, typed, capsys: pytest.CaptureFixture[str]) -> None:
    typed("I need a cleaning\n")
    assert run(["talk", "--text", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert "Which day would suit you?" in captured.out
    assert "v2v" not in captured.out
    assert "call ended" not in captured.out
    assert captured.err == ""


def test_a_person_is_prompted_and_not_repeated(mine: Path) -> None:
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    child = pexpect.spawn(sys.executable, ["-c", MAIN, "talk", "--text"], cwd=mine, env=environment, encoding="utf-8")
    child.expect("How can I help you", timeout=30)
    child.expect("you")
    child.sendline("I need a cleaning")
    child.expect("Which day would suit you", timeout=10)
    assert str(child.before).count("I need a cleaning") == 1
    child.expect("you")
    child.sendeof()
    child.expect("input ended", timeout=10)
    child.expect(pexpect.EOF, timeout=10)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_while_a_pipe_is_silent_ends_the_call_cleanly(mine: Path) -> None:
    command = [sys.executable, "-c", MAIN, "talk", "--text"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=mine, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        while "How can I help you" not in process.stdout.readline():
            pass
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "call ended: interrupted" in out
    assert "Fatal" not in err
    assert "Traceback" not in err


def test_a_sound_file_goes_through_the_engine_and_both_sides_come_back(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(spoken("i need a cleaning", tmp_path / "caller.wav"))
    words = ["--wav", str(tmp_path / "caller.wav"), "--out", str(tmp_path / "both.wav"), "--fast"]
    assert run(["talk", *words]) == 0
    shown = capsys.readouterr().out
    assert "caller  i need a cleaning" in shown
    assert "agent   Which day would suit you?" in shown
    with wave.open(str(tmp_path / "both.wav")) as both:
        assert both.getnchannels() == 2
        sound = np.frombuffer(both.readframes(both.getnframes()), np.int16).reshape(-1, 2)
        rate_hz = both.getframerate()
    loud = np.abs(sound[: 5 * rate_hz]).max(axis=0)
    assert loud[1] > 1000 > loud[0], "the agent greets on the right while the caller, on the left, is silent"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sound", "oss"], "there is only sounddevice and pyaudio"),
        (["--wav", "nope.wav"], "nope.wav: there is no such file."),
        (["--wav", "empty.wav"], "empty.wav"),
        (["--wav", "text.wav"], "text.wav is not a sound file"),
        (["--text", "--wav", "x.wav"], "exclude each other"),
        (["--out", "x.wav", "--text"], "go with --wav"),
        (["--text", "eva"], "'eva'"),
        (["ava", "--agent", "eva", "--text"], "two agents are named"),
        (["--wav", "sound.wav", "--out", "no/such/folder/x.wav"], "there is no such folder"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    words: list[str], sentence: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.wav").touch()
    Path("text.wav").write_text("hello")
    soundfile.write("sound.wav", np.zeros(16000), 16000)
    before = sorted(Path("calls").iterdir()) if Path("calls").is_dir() else []
    assert run(["talk", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert (sorted(Path("calls").iterdir()) if Path("calls").is_dir() else []) == before, "no call was made"
