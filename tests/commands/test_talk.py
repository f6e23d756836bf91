"""`voicebot talk` over the real engine: typed, and from a sound file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
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
VOICEBOT = [sys.executable, "-c", MAIN]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("talk") / "mine"
    project.create(folder, "dental")
    return folder


def talk(mine: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [*VOICEBOT, "talk", *words]
    return subprocess.run(command, cwd=mine, input=typed, capture_output=True, text=True, check=False)


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


def test_a_conversation_can_be_typed_through_a_pipe(mine: Path) -> None:
    done = talk(mine, "--text", typed="I need a cleaning\nthursday at three\n")
    assert done.returncode == 0, done.stderr
    lines = [line.split(None, 2) for line in done.stdout.splitlines()[2:]]
    assert [line[1:] for line in lines if line[1] in ("caller", "agent")][:3] == [
        ["agent", "Bright Smile Dental, this is Ava. How can I help you?"],
        ["caller", "I need a cleaning"],
        ["agent", "Which day would suit you?"],
    ]
    assert "call ended: input ended" in done.stdout
    assert done.stderr.startswith("recorded in calls/")


def test_json_is_every_event_and_nothing_else(mine: Path) -> None:
    done = talk(mine, "ava", "--text", "--json", typed="bye\n")
    assert done.returncode == 0
    events = [parse(line) for line in done.stdout.splitlines()]
    assert (events[0].type, events[-1].type) == ("call_started", "call_ended")
    assert done.stderr == ""


def test_a_person_is_prompted_and_not_repeated(mine: Path) -> None:
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    child = pexpect.spawn(sys.executable, ["-c", MAIN, "talk", "--text"], cwd=mine, env=environment, encoding="utf-8")
    child.expect("How can I help you", timeout=30)
    child.expect("you ▸")
    child.sendline("I need a cleaning")
    child.expect("Which day would suit you", timeout=10)
    assert child.before.count("I need a cleaning") == 1
    child.expect("you ▸")
    child.sendeof()
    child.expect("input ended", timeout=10)
    child.expect(pexpect.EOF, timeout=10)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_while_a_pipe_is_silent_ends_the_call_cleanly(mine: Path) -> None:
    command = [*VOICEBOT, "talk", "--text"]
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


async def test_a_sound_file_goes_through_the_engine_and_both_sides_come_back(mine: Path, tmp_path: Path) -> None:
    await spoken("i need a cleaning", tmp_path / "caller.wav")
    words = ["--wav", str(tmp_path / "caller.wav"), "--out", str(tmp_path / "both.wav"), "--fast"]
    done = talk(mine, *words)
    assert done.returncode == 0, done.stderr
    assert "caller  i need a cleaning" in done.stdout
    assert "agent   Which day would suit you?" in done.stdout
    with wave.open(str(tmp_path / "both.wav")) as both:
        assert both.getnchannels() == 2
        sound = np.frombuffer(both.readframes(both.getnframes()), np.int16).reshape(-1, 2)
        rate_hz = both.getframerate()
    loud = np.abs(sound[: 5 * rate_hz]).max(axis=0)
    assert loud[1] > 1000 > loud[0], "the agent greets on the right while the caller, on the left, is silent"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "the microphone is not part of this version yet"),
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
    words: list[str],
    sentence: str,
    mine: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(mine)
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


def test_quietly_only_the_words_are_left(mine: Path) -> None:
    done = talk(mine, "--text", "--quiet", typed="I need a cleaning\n")
    assert "v2v" not in done.stdout
    assert "call ended" not in done.stdout
    assert "Which day would suit you?" in done.stdout
    assert done.stderr == ""
    assert json.dumps(done.stdout)
