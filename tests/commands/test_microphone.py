"""`voicebot talk` on a real (virtual) sound card: a caller's speech goes in, the agent's voice comes out."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pexpect
import pytest
import soundfile

from tests.doubles import sound_card
from tests.doubles.spoken import speech
from voicebot.project import create

pytestmark = pytest.mark.skipif(bool(sound_card.missing()), reason=sound_card.missing())

MAIN = "import sys; from voicebot.commands import main; sys.exit(main())"
DEVICES = ["--input", "pulse", "--output", "pulse"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("p") / "desk"
    create(folder, "dental")
    return folder


@pytest.fixture
def card() -> Iterator[sound_card.SoundCard]:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # a socket's path must be short
    try:
        with sound_card.sound_card(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder)


def talk(project: Path, card: sound_card.SoundCard, *more: str) -> pexpect.spawn[str]:
    command = ["-c", MAIN, "talk", *DEVICES, *more]
    size = (40, 120)
    return pexpect.spawn(
        sys.executable, command, cwd=project, env=card.environment, encoding="utf-8", dimensions=size, timeout=40
    )


def sentence(path: Path, text: str) -> Path:
    soundfile.write(path, np.frombuffer(asyncio.run(speech(text)), np.int16), sound_card.RATE_HZ)
    return path


def say_until_understood(card: sound_card.SoundCard, child: pexpect.spawn[str], said: Path, times: int = 3) -> None:
    """People repeat themselves: on a busy machine the virtual card loses sound, and with it a word."""
    for left in reversed(range(times)):
        card.say(said)
        try:
            child.expect("Which day", timeout=7)
            return
        except pexpect.TIMEOUT:
            if not left:
                raise


def last_call(project: Path) -> list[dict[str, object]]:
    folder = max((project / "calls").iterdir())
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("package", ["sounddevice", "pyaudio"])
def test_a_person_talks_to_the_agent(package, project, card, tmp_path):
    pytest.importorskip(package, reason='not installed: pip install "voicebot[mic]"')
    said = sentence(tmp_path / "said.wav", "I would like to book a cleaning")
    with card.recording(tmp_path / "heard.raw"):
        child = talk(project, card, "--sound", package)
        child.expect("How can I help you")
        time.sleep(5)  # until the greeting has been spoken
        say_until_understood(card, child, said)
        time.sleep(3)
        child.send("on tuesday\r")  # typed while talking
        child.expect("on tuesday")
        child.expect("What time")
        time.sleep(2)
        child.kill(signal.SIGINT)
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0
    events = last_call(project)
    turns = [str(event["text"]) for event in events if event["type"] == "turn_ended"]
    assert "book a clean" in " ".join(turns[:-1]), "spoken"
    assert turns[-1] == "on tuesday", "typed"
    assert not [event for event in events if event["type"] == "barge_in"]
    assert events[-1]["type"] == "call_ended"
    assert events[-1]["reason"] == "caller_hung_up"
    heard = np.frombuffer((tmp_path / "heard.raw").read_bytes(), np.int16).astype(float)
    seconds = heard[: len(heard) // 1600 * 1600].reshape(-1, 1600)
    loud_s = (np.sqrt((seconds**2).mean(1)) > 300).sum() / 10
    assert loud_s > 5, "greeting, question and answer sound for at least five seconds"


def test_a_muted_caller_is_not_heard(project, card, tmp_path):
    pytest.importorskip("sounddevice", reason='not installed: pip install "voicebot[mic]"')
    said = sentence(tmp_path / "said.wav", "I would like to book a cleaning")
    child = talk(project, card)
    child.expect("How can I help you")
    time.sleep(5)
    child.send("\t")
    child.expect("muted")
    card.say(said)
    time.sleep(1)
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert not [event for event in last_call(project) if event["type"] == "caller_speech_started"]


def test_devices_that_are_not_there_are_named(project, card):
    pytest.importorskip("sounddevice", reason='not installed: pip install "voicebot[mic]"')
    child = pexpect.spawn(
        sys.executable,
        ["-c", MAIN, "talk", "--input", "pusle", "--output", "pulse"],
        cwd=project,
        env=card.environment,
        encoding="utf-8",
    )
    child.expect("--input pusle: there is no such microphone. Did you mean 'pulse'?", timeout=30)
    child.expect(pexpect.EOF, timeout=10)
    child.close()
    assert child.exitstatus == 2
