"""What ran last: the agent file as the latest recorded call kept it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from voicebot import paths
from voicebot.events import CallStarted, parse
from voicebot.store.record import AGENT, EVENTS

MOST = 500
"""Calls that are looked at; an agent that none of them was made with has not run lately."""


@dataclass(frozen=True)
class Ran:
    """One call's copy of the agent file."""

    call: str
    started_at: str
    text: str


def last(root: Path, name: str) -> Ran | None:
    """Of the agent that calls itself `name`; None when it never ran. Reads files: not for the event loop."""
    calls = paths.calls_dir(root)
    if not calls.is_dir():
        return None
    folders = sorted(
        (folder for folder in calls.iterdir() if folder.is_dir()), reverse=True
    )  # an id begins with a time
    return next(_ran(folders[:MOST], name), None)


def _ran(folders: list[Path], name: str) -> Iterator[Ran]:
    for folder in folders:
        try:
            with (folder / EVENTS).open("rb") as lines:
                started = parse(lines.readline())
            if isinstance(started, CallStarted) and started.agent == name:
                yield Ran(folder.name, started.started_at, (folder / AGENT).read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError):
            continue  # a record that was damaged or deleted meanwhile says nothing


def difference(ran: Ran, text: str, file: str) -> list[str]:
    """As `diff -u` writes it, from what ran to the text as it is now; empty when they are the same."""
    before = f"call {ran.call}"
    return list(difflib.unified_diff(ran.text.splitlines(), text.splitlines(), before, file, lineterm="", n=3))
