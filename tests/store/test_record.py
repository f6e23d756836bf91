from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from voicebot import events
from voicebot.errors import BadInput, Unavailable
from voicebot.store.record import AGENT, AUDIO, EVENTS, Record, can_keep

RATE = 8000


def tone(value: int, seconds: float) -> bytes:
    return np.full(int(seconds * RATE), value, np.int16).tobytes()


def channels(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    with wave.open(str(folder / AUDIO)) as wav:
        assert wav.getparams()[:3] == (2, 2, RATE)
        frames = np.frombuffer(wav.readframes(wav.getnframes()), np.int16).reshape(-1, 2)
    return frames[:, 0], frames[:, 1]


async def test_caller_is_left_and_the_agent_right_where_it_was_heard(tmp_path: Path):
    record = Record(tmp_path / "call", RATE, "name: Ava\n")
    record.caller(tone(100, 1.5))
    record.agent(tone(7, 0.5))
    record.agent(tone(8, 0.5))
    record.caller(tone(100, 2.5))
    await record.close()
    left, right = channels(tmp_path / "call")
    assert len(left) == 4 * RATE
    assert (left == 100).all()
    assert (right[: int(1.5 * RATE)] == 0).all()
    assert (right[int(1.5 * RATE) : 2 * RATE] == 7).all()
    assert (right[2 * RATE : int(2.5 * RATE)] == 8).all()
    assert (right[int(2.5 * RATE) :] == 0).all()


async def test_what_was_taken_back_is_not_in_the_record(tmp_path: Path):
    record = Record(tmp_path / "call", RATE, "")
    record.caller(tone(1, 0.5))
    record.agent(tone(9, 2))
    record.caller(tone(1, 0.5))
    record.agent_silenced()
    record.caller(tone(1, 2))
    await record.close()
    _, right = channels(tmp_path / "call")
    assert np.flatnonzero(right).tolist() == list(range(RATE // 2, RATE))


async def test_events_and_the_agent_file_are_kept(tmp_path: Path):
    record = Record(tmp_path / "call", 0, "name: Ava\n")
    record.event(events.FirstToken(t_ms=1.5, turn=1))
    record.event(events.CallEnded(t_ms=2, reason="caller_hung_up"))
    await record.close()
    lines = (tmp_path / "call" / EVENTS).read_text().splitlines()
    assert [events.parse(line).type for line in lines] == ["first_token", "call_ended"]
    assert (tmp_path / "call" / AGENT).read_text() == "name: Ava\n"
    assert not (tmp_path / "call" / AUDIO).exists()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "calls").write_text("a file where the folder should be")
    with pytest.raises(BadInput, match="cannot write the call's record"):
        Record(tmp_path / "calls" / "1", RATE, "")


async def test_the_wav_opens_while_the_call_goes_on(tmp_path: Path):
    record = Record(tmp_path / "call", RATE, "")
    for _ in range(25):
        record.caller(tone(1, 0.1))
    for _ in range(200):
        await asyncio.sleep(0.01)
        if len(channels(tmp_path / "call")[0]) == 2 * RATE:
            break
    assert len(channels(tmp_path / "call")[0]) == 2 * RATE
    await record.close()


def test_after_kill_9_the_record_is_whole_up_to_the_last_event(tmp_path: Path):
    """A real call in real time, killed in the middle."""
    run = [str(Path(sys.executable).with_name("voicebot"))]
    call = subprocess.Popen([*run, "demo"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_speech(tmp_path)
    os.kill(call.pid, signal.SIGKILL)
    call.wait()
    (folder,) = (tmp_path / "voicebot-demo" / "calls").iterdir()
    parsed = [events.parse(line) for line in (folder / EVENTS).read_bytes().split(b"\n")[:-1]]
    assert parsed[0].type == "call_started"
    assert parsed[-1].type != "call_ended"
    with wave.open(str(folder / AUDIO)) as wav:
        assert wav.getnframes() / wav.getframerate() >= 2
    shown = subprocess.run(
        [*run, "calls", "show", "last", "--project", "voicebot-demo"], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.returncode == 0
    assert "cut off" in shown.stdout + shown.stderr


def wait_for_speech(project: Path) -> None:
    """Until the caller has said something, so that there is something to keep."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        for path in project.glob("voicebot-demo/calls/*/events.jsonl"):
            if b'"transcript_final"' in path.read_bytes():
                return
        time.sleep(0.1)
    raise AssertionError("the call never began")


def test_a_folder_in_which_no_call_can_be_kept_is_found_out_before_a_call(tmp_path: Path) -> None:
    can_keep(tmp_path / "calls")
    assert list((tmp_path / "calls").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="--no-record"):
        can_keep(tmp_path / "file")
