"""A process that makes one call at a time: it imports and loads once, and may die without taking the run with it."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from voicebot.errors import BadInput, VoicebotError

if TYPE_CHECKING:
    from .jobs import Job, Task

Kind: TypeAlias = Literal["ready", "progress", "done", "refused", "failed"]
Message: TypeAlias = tuple[Kind, tuple[Any, ...]]

_EVERY_S = 0.2
"""Progress is told this often at most."""


def serve(connection: Connection, task: Task, log: Path, warm: Callable[[], None] | None) -> None:
    """The main function of the process: calls until the other side says None or is gone. `warm` is what it does
    before the first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    _write_to(log)
    try:
        if warm is not None:
            warm()
        connection.send(("ready", ()))
        while (job := connection.recv()) is not None:
            connection.send(_made(task, job, connection))
    except (EOFError, OSError):
        return  # whoever wanted these calls is gone


def _write_to(log: Path) -> None:
    """What tools, libraries and a crash print must not fall into the runner's screen."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(target, stream)
    os.close(target)
    faulthandler.enable(2)


def _made(task: Task, job: Job, connection: Connection) -> Message:
    try:
        trial, result = task(job, _teller(connection))
        return "done", (trial.model_dump_json(), result.model_dump_json())
    except BadInput as error:
        return "refused", (str(error),)
    except VoicebotError as error:
        return "failed", (str(error),)
    except Exception as error:  # noqa: BLE001 - whatever broke here, the run goes on and tells it
        traceback.print_exc()
        return "failed", (f"{type(error).__name__}: {error}",)


def _teller(connection: Connection) -> Callable[[int, float], None]:
    told_s = 0.0

    def tell(turn: int, call_s: float) -> None:
        nonlocal told_s
        if time.monotonic() - told_s >= _EVERY_S:
            told_s = time.monotonic()
            connection.send(("progress", (turn, call_s)))

    return tell
