"""Reading what calls left behind: `<project>/calls/<id>/{events.jsonl, call.wav, agent.yaml}`.

A record is written as the call happens, so it may stop anywhere: a line cut in half at the end is normal, any other
line that cannot be read is counted and skipped.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from voicebot import paths
from voicebot.errors import BadInput, did_you_mean
from voicebot.events import CallEnded, CallerSpeechStarted, CallStarted, Event, parse
from voicebot.latency import Percentiles, Waterfall, percentiles, v2v_ms, waterfalls

EVENTS, AUDIO, AGENT = "events.jsonl", "call.wav", "agent.yaml"

QUIET_S = 300.0
"""A call without an end whose log has not grown for this long is not running, whoever has its process id now."""

State = Literal["ended", "running", "cut off"]


@dataclass(frozen=True)
class CallRecord:
    """One call as it was recorded."""

    folder: Path
    events: tuple[Event, ...]
    broken: tuple[int, ...]
    """Numbers of lines that could not be read, counted from 1; a last line cut in half is not among them."""
    cut: bool
    """The last line was cut in half."""
    modified_s: float
    """When the log last grew, seconds since the epoch."""

    @cached_property
    def started(self) -> CallStarted:
        first = self.events[0]
        assert isinstance(first, CallStarted)
        return first

    @cached_property
    def ended(self) -> CallEnded | None:
        return next((event for event in reversed(self.events) if isinstance(event, CallEnded)), None)

    @property
    def state(self) -> State:
        """'running' while its process is alive and its log grows; 'cut off' when it died without an end."""
        if self.ended is not None:
            return "ended"
        fresh = time.time() - self.modified_s < QUIET_S
        return "running" if fresh and _alive(self.started.pid) else "cut off"

    @property
    def how_it_ended(self) -> str:
        """For a person: 'agent hung up', 'handed over', 'cut off (process died)', 'running'."""
        if self.ended is None:
            return "running" if self.state == "running" else "cut off (process died)"
        return self.ended.reason.replace("_", " ")

    @property
    def duration_ms(self) -> float:
        return max(event.t_ms for event in self.events)

    @cached_property
    def waterfalls(self) -> list[Waterfall]:
        return waterfalls(self.events)

    @cached_property
    def latency(self) -> Percentiles | None:
        """Voice-to-voice latency over the answered turns, ms."""
        return percentiles(v2v_ms(self.waterfalls))

    @property
    def audio(self) -> Path | None:
        """The stereo recording (left caller, right agent), where the call had sound."""
        path = self.folder / AUDIO
        return path if path.is_file() else None


def read(folder: Path) -> CallRecord:
    """The record in `folder`. Raises BadInput when there is none or nothing in it can be read."""
    path = folder / EVENTS
    try:
        raw = path.read_bytes()
        modified_s = path.stat().st_mtime
    except FileNotFoundError:
        raise BadInput(f"{folder}: no {EVENTS} here, so this is not a call.") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None
    events, broken, cut = _parse_lines(raw)
    if not events or not isinstance(events[0], CallStarted):
        raise BadInput(f"{path}: not a record of a call (its first line is not a readable call_started event).")
    return CallRecord(folder, tuple(events), tuple(broken), cut, modified_s)


def _parse_lines(raw: bytes) -> tuple[list[Event], list[int], bool]:
    lines = raw.split(b"\n")
    unfinished = bool(lines[-1])  # every whole line ends with a newline, so the last piece is empty
    events: list[Event] = []
    broken: list[int] = []
    cut = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            events.append(parse(line))
        except ValidationError:
            if unfinished and number == len(lines):
                cut = True
            else:
                broken.append(number)
    return events, broken, cut


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def folder_of(project: Path) -> Path:
    """The calls folder of the project that `project` lies in, or of the only project below it.

    Raises BadInput when there is none.
    """
    start = project.absolute()
    if not start.is_dir():
        raise BadInput(f"{project}: no such folder.")
    if paths.calls_dir(start).is_dir():
        return paths.calls_dir(start)
    for place in (start, *start.parents):
        if place.name == paths.CALLS and any(place.glob(f"*/{EVENTS}")):
            return place
        if paths.agent_files(place):
            return paths.calls_dir(place)
    below = sorted(path for path in start.glob(f"*/{paths.CALLS}") if path.is_dir())
    if len(below) == 1:  # `voicebot demo` made a project of its own here
        return below[0]
    if below:
        names = ", ".join(path.parent.name for path in below)
        raise BadInput(f"no project in {paths.shown(start)}, but below it: {names}. Name one with --project.")
    raise BadInput(
        f"no calls/ or agents/ folder in {paths.shown(start)} or above. "
        "Go to a project, name one with --project, or make a first call: voicebot demo"
    )


def newest_first(calls: Path) -> list[Path]:
    """Folders of all calls, the latest first; reads one line of each. An empty or missing folder has none."""
    if not calls.is_dir():
        return []
    found = [(_started_at(path), path.parent) for path in calls.glob(f"*/{EVENTS}")]
    return [folder for _, folder in sorted(found, key=lambda pair: (pair[0], pair[1].name), reverse=True)]


def _started_at(path: Path) -> float:
    """Seconds since the epoch; the file's own time where the first line is damaged."""
    try:
        with path.open("rb") as lines:
            first = parse(lines.readline())
        if isinstance(first, CallStarted):
            return datetime.fromisoformat(first.started_at).timestamp()
    except (ValidationError, ValueError, OSError):
        pass  # the next line knows what to do with a record that does not say when it began
    return path.stat().st_mtime


def find(which: str, project: Path) -> CallRecord:
    """The call meant by `which`: 'last', an id, the unique beginning of one, or the path of a call's folder.

    Raises BadInput when there is no such call, several, or its record cannot be read.
    """
    if os.sep in which or which == ".":
        return read(Path(which))
    calls = folder_of(project)
    folders = newest_first(calls)
    if not folders:
        raise BadInput(f"no calls in {paths.shown(calls)} yet. Make one: voicebot demo")
    if which == "last":
        return read(folders[0])
    exact = [folder for folder in folders if folder.name == which]
    matching = exact or [folder for folder in folders if folder.name.startswith(which)]
    if len(matching) > 1:
        some = ", ".join(folder.name for folder in matching[:3])
        raise BadInput(f"'{which}' is the beginning of {len(matching)} calls ({some} ...); type more of it.")
    if not matching:
        known = ["last", *(folder.name for folder in folders[:8])]
        raise BadInput(f"no call '{which}' in {paths.shown(calls)}.{did_you_mean(which, known)}")
    return read(matching[0])


def turn_start_ms(record: CallRecord, turn: int) -> float:
    """Where the caller's turn `turn` begins; 0 is the beginning of the call. Raises BadInput when there is none."""
    if turn == 0:
        return 0.0
    starts = {e.turn: e.speech_start_ms for e in record.events if isinstance(e, CallerSpeechStarted)}
    if turn not in starts:
        known = ", ".join(map(str, sorted(starts))) or "none"
        raise BadInput(f"{record.folder.name} has no spoken turn {turn}. Known: {known}.")
    return starts[turn]
