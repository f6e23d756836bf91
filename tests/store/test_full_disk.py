"""A disk that takes no more costs records. The call is what it is on an empty one, and its log has one line."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from voicebot import events
from voicebot.store.record import EVENTS

ROOM = 2**30
WITHIN_MS = 2000.0

SHORT_OF_ROOM = """
import asyncio, resource, sys
from pathlib import Path
from voicebot import events
from voicebot.store.record import Record

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    record = Record(Path(sys.argv[1]), 0, "")
    for t_ms, size in ((1, 150), (2, 150), (3, 150), (4, resource.RLIM_INFINITY), (5, resource.RLIM_INFINITY)):
        record._disk.do(lambda size=size: room(size))
        record.event(events.FirstToken(t_ms=t_ms))
    await record.close()

asyncio.run(main())
"""


def held(folder: Path, room: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(what happened, the lines of the log) of a call on a disk with so much room for each file."""
    command = [sys.executable, "-m", "tests.doubles.told_call", str(folder), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return json.loads(done.stdout), lines


@pytest.fixture(scope="module")
def with_room(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    told, lines = held(tmp_path_factory.mktemp("room"), ROOM)
    assert lines == []
    return told


@pytest.mark.parametrize("room", [0, 3000])
def test_a_call_does_not_notice_a_full_disk(tmp_path: Path, with_room: dict[str, Any], room: int) -> None:
    """No room at all: not even for what stands in the record before the call begins."""
    told, lines = held(tmp_path, room)
    assert told["timeline"] == with_room["timeline"]
    assert told["gaps_ms"] == with_room["gaps_ms"]
    assert told["held_up_ms"] < with_room["held_up_ms"] + WITHIN_MS
    (line,) = lines
    assert line["level"] == "warning"
    assert line["message"].startswith("records of calls are incomplete: ")
    whole = [line for file in tmp_path.glob(f"*/{EVENTS}") for line in file.read_bytes().split(b"\n")[:-1]]
    assert [events.parse(line).type for line in whole][:1] == (["call_started"] if room else [])


def test_behind_a_line_for_which_there_was_no_room_the_next_is_whole(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", SHORT_OF_ROOM, str(tmp_path)], check=True, timeout=60)
    lines = (tmp_path / EVENTS).read_bytes().splitlines()
    whole = [events.parse(line).t_ms for line in lines if line.endswith(b"}")]
    assert whole == [1, 4, 5] or whole == [1, 2, 4, 5]
    assert len(lines) == len(whole) + 1, "and half a line"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY, "this process is as it was"
