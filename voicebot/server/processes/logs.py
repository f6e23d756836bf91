"""The log of a server: one line for each thing that happened, on stderr, from all of its processes.

    logger.bind(call=id, agent=name).info("call began")

In a pipe a line is a JSON object (`time`, `level`, `message`, and what was bound), on a terminal it is text.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import queue
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Literal

from loguru import logger

if TYPE_CHECKING:
    from loguru import Message, Record

Form = Literal["json", "console"]
_MOST_WAITING = 2000
"""Lines."""
_LAST_LINES_S = 2.0
_OF_STRANGERS = ("Invalid HTTP request", "Unsupported upgrade request", "ASGI callable returned without completing")
"""What uvicorn says of requests that it has answered with an error: anybody could fill the log with it."""
_PLAIN = "\x1b[0m"
_DIM = "\x1b[2m"
_STYLES = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}


def begin(form: Form, *, colour: bool = False, **bound: Any) -> None:
    """What this process logs from now on, and what stands in each of its lines (`worker=2`).

    Ours from INFO on, of libraries only warnings. A traceback goes to the log and shows no values of variables, which
    may be keys or what a caller said.
    """
    paper = _Paper()

    def write(message: Message) -> None:
        record = message.record
        paper.write(_as_json(record) if form == "json" else _as_text(record, colour=colour))

    logger.remove()
    logger.configure(extra=bound)
    logger.add(write, level=0, format="{message}", filter={"": "WARNING", "voicebot": "INFO"}, catch=False)
    logging.basicConfig(handlers=[_Intercepted()], level=logging.WARNING, force=True)


class _Paper:
    """Writes on a thread: should nobody read the log any more, no call waits for that, and lines are left out."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def write(self, line: str) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def _work(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                sys.stderr.write(line + "\n")  # in one piece: several processes write here
                sys.stderr.flush()

    def _end(self) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(_LAST_LINES_S)


class _Intercepted(logging.Handler):
    """What libraries log by the standard library, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(_OF_STRANGERS):
            return
        told = logger.bind(by=record.name).opt(exception=record.exc_info)
        told.log(record.levelname if record.levelno <= logging.CRITICAL else record.levelno, record.getMessage())


def _as_json(record: Record) -> str:
    time = record["time"].isoformat(timespec="milliseconds")
    fields = {"time": time, "level": record["level"].name.lower(), "message": record["message"], **record["extra"]}
    if told := _traceback(record):
        fields["traceback"] = told
    return json.dumps(fields, ensure_ascii=False, default=str)


def _as_text(record: Record, *, colour: bool) -> str:
    told = record["message"]
    if bound := "  ".join(f"{name}={value}" for name, value in record["extra"].items() if value != ""):
        told = f"{told}  {_styled(bound, _DIM, colour)}"
    if record["level"].no > logging.INFO:
        told = f"{record['level'].name.lower()}: {told}"
    told = f"{record['time']:%H:%M:%S} {_styled(told, _STYLES.get(record['level'].name, ''), colour)}"
    return f"{told}\n{trace}" if (trace := _traceback(record)) else told


def _styled(text: str, style: str, colour: bool) -> str:
    return f"{style}{text}{_PLAIN}" if colour and style else text


def _traceback(record: Record) -> str:
    if (error := record["exception"]) is None or error.type is None:
        return ""
    return "".join(traceback.format_exception(error.type, error.value, error.traceback)).rstrip()
