"""What is wrong with the text of an agent file, with the place of each problem. Reads files, never the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from voicebot.agent import Agent
from voicebot.errors import BadInput

_SHOWN = "<text>"
_PLACED = re.compile(r"(.*?):(\d+):(\d+) (.*)")


@dataclass(frozen=True)
class Problem:
    """Line and column count from 1; line 0 when it is about the whole file."""

    line: int
    column: int
    sentence: str


@dataclass(frozen=True)
class Reading:
    """The agent in a text, or what is wrong with it."""

    agent: Agent | None
    problems: tuple[Problem, ...] = ()


def read(text: str, root: Path) -> Reading:
    """Takes some ms of computing, and reads the files that the text names: not for the event loop."""
    try:
        return Reading(Agent.parse(text, root, _SHOWN))
    except BadInput as error:
        return Reading(None, tuple(_problem(line) for line in str(error).splitlines()))


def _problem(line: str) -> Problem:
    found = _PLACED.fullmatch(line)
    if found is None:
        return Problem(0, 0, line)
    file, row, column, sentence = found.groups()
    if file != _SHOWN:  # an agent that this one hands over to
        return Problem(0, 0, line)
    return Problem(int(row), int(column), sentence)
