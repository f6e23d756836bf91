"""One worker process, as its supervisor sees it: begun, ready, gone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from voicebot.errors import EXIT_OK
from voicebot.logs import Form
from voicebot.server.capacity.board import BoardRow
from voicebot.server.processes.channel import SupervisorEnd
from voicebot.server.settings import Settings

FINISH, AT_ONCE = signal.SIGTERM, signal.SIGUSR1
"""What a worker is told: finish your calls and go; end them now and go. Twice SIGTERM is not the second: systemd sends
one to all processes of a service, and the supervisor passes its own on."""
BOARD = "board"
"""The board's file, in the server's run_dir."""


class Orders(BaseModel):
    """What a worker is told at its start, on its stdin: arguments and the environment can be read by others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: Settings
    place: int
    """Its row on the board, and its number in the state and the log."""
    log: Form = "json"
    colour: bool = False
    parts: str = ""
    """'module:function': stand-ins for the parts of a call, for tests and measurements."""

    @property
    def run_dir(self) -> Path:
        assert self.settings.run_dir, "the supervisor makes it"
        return self.settings.run_dir

    @property
    def board(self) -> Path:
        return self.run_dir / BOARD


class Served(BaseModel):
    """An agent that a worker has in memory, and what it runs on."""

    name: str
    stt: str = ""
    tts: str = ""
    brain: str = ""


class Report(BaseModel):
    """What a worker found when it had loaded everything."""

    agents: list[Served] = []
    broken: list[str] = []
    """What is wrong with the agents that could not be loaded, a sentence each."""
    keys: int = 0
    """API keys that are valid."""


class Failed(BaseModel):
    """Why a worker could not begin."""

    sentence: str
    exit_code: int


class Worker:
    """Made by `Worker.start`."""

    def __init__(self, row: BoardRow, process: Process, sock: socket.socket, stop: Callable[[], object]) -> None:
        self.row = row
        self.report: Report | None = None
        """From when it was ready."""
        self.failed: Failed | None = None
        self._process = process
        self._stop = stop
        self._settled = asyncio.Event()
        """It is ready, or gone."""
        self._line = SupervisorEnd(sock, self._heard)
        self._gone = asyncio.create_task(self._wait())

    @classmethod
    async def start(cls, row: BoardRow, orders: Orders, stop: Callable[[], object]) -> Worker:
        """`stop` is called when somebody who may has asked this worker for the server's end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "voicebot.server.processes.worker", str(theirs.fileno())),
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                process_group=0,  # Ctrl-C is for the supervisor alone
            )
        worker = cls(row, process, ours, stop)
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; `gone` tells
            process.stdin.write(orders.model_dump_json().encode())
            await process.stdin.drain()
            process.stdin.close()
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self) -> Report | None:
        """When all models are in memory and it answers; None: it died before, see `how` and `failed`."""
        await self._settled.wait()
        return self.report

    async def gone(self) -> int:
        """Its exit code, as `subprocess` has it. Any number may wait."""
        return await asyncio.shield(self._gone)

    def hand(self, connection: socket.socket) -> bool:
        """Whether the worker will get this connection; else it is still the caller's."""
        return self._line.hand(connection)

    def not_taken(self) -> list[socket.socket]:
        """After its end: the connections it did not take."""
        return self._line.close()

    def signal(self, number: signal.Signals) -> None:
        """FINISH, AT_ONCE, or SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _wait(self) -> int:
        code = await self._process.wait()
        self._settled.set()
        return code

    def _heard(self, told: dict[str, Any]) -> None:
        if "ready" in told:
            self.report = Report.model_validate(told["ready"])
            self._settled.set()
        elif "failed" in told:
            self.failed = Failed.model_validate(told["failed"])
        elif "stop" in told:
            self._stop()


def how(code: int) -> str:
    """An exit code in words: 'was killed by signal 9 (SIGKILL)'."""
    if code >= 0:
        return "left" if code == EXIT_OK else f"ended with exit code {code}"
    try:
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed by signal {-code}"
