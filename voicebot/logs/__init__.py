"""The log of a process: one line for each thing that happened, on stderr, with nobody's keys and private data in it.

    logs.begin("json", worker=2)
    with logs.inside(InCall("20261123-101500-3f2a1b")):
        logger.info("...")               # the line has the call, and the turn it is in

    place.py     in which call a line was written      forms.py    how a line looks: JSON or text
    secrets.py   keys, known ones and by their shape   private.py  cards, numbers, names, addresses
    redaction.py all of that, bounded and never failing
    paper.py     the thread that writes

Redaction happens on the way to the paper, on its thread: whatever is logged, by whomever, passes it, and no call waits.
"""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from loguru import logger

from voicebot.logs.forms import Form, Line
from voicebot.logs.paper import Paper
from voicebot.logs.place import InCall, here, inside
from voicebot.logs.redaction import hidden

if TYPE_CHECKING:
    from loguru import Message

__all__ = ["Form", "InCall", "begin", "here", "hidden", "inside"]

LEVEL = "LOGURU_LEVEL"
"""From which level on our own lines are written, unless it is said; `voicebot --debug` sets it, for workers, too."""
_OF_STRANGERS = ("Invalid HTTP request", "Unsupported upgrade request", "ASGI callable returned without completing")
"""What uvicorn says of requests that it has answered with an error: anybody could fill the log with it."""


_NEEDS_EVERY_RULE = "my name is 555 0123, plus one two one two five five five oh one two three"
"""Reads and compiles all of them before the first line, when no call is there yet."""


def begin(form: Form, *, colour: bool = False, level: str = "", libraries: str = "WARNING", **bound: Any) -> None:
    """What this process logs from now on, and what stands in each of its lines (`worker=2`).

    Ours from `level` on (INFO), of libraries what is a warning or worse. A traceback goes to the log, and shows no
    values of variables.
    """
    paper = Paper(partial(hidden, _NEEDS_EVERY_RULE))

    def write(message: Message) -> None:
        line = Line(message.record, here())
        paper.write(lambda: line.written(form, colour=colour))

    logger.remove()
    logger.configure(extra=bound)
    ours = level or os.environ.get(LEVEL, "INFO")
    lowest = min(logger.level(libraries).no, logger.level(ours).no)  # what is below it costs loguru next to nothing
    logger.add(write, level=lowest, format="{message}", filter={"": libraries, "voicebot": ours}, catch=False)
    least = max(logging.INFO, logging.getLevelNamesMapping().get(libraries, logging.WARNING))
    logging.basicConfig(handlers=[_Intercepted()], level=least, force=True)


class _Intercepted(logging.Handler):
    """What libraries log by the standard library, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            told = record.getMessage()
        except (TypeError, ValueError):  # a library's mistake in its own line
            told = str(record.msg)
        if told.startswith(_OF_STRANGERS):
            return
        logger.bind(by=record.name).opt(exception=record.exc_info).log(_level(record), told)


def _level(record: logging.LogRecord) -> str | int:
    """A level that loguru has, or its number."""
    try:
        return logger.level(record.levelname).name
    except ValueError:
        return record.levelno
