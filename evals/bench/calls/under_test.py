"""A server under test: started, pinned to a core, looked at from outside as the operating system sees it, killed."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from voicebot.errors import Unavailable
from voicebot.evals.bench.calls import stubs
from voicebot.evals.bench.calls.plan import Door

_AGENT = "bench"
_NO_LIMIT = 10_000
_START_S = 120.0
_ANSWER_S = 5.0
_SAID = 2000
"""Characters of what a server said before it failed."""


class Server:
    """One that runs: a process and those it has started."""

    def __init__(self, door: Door, pid: int) -> None:
        self.door = door
        self._process = psutil.Process(pid)

    def cpu_s(self) -> float:
        """User and system time since it began."""
        return sum(self._of_all(lambda process: sum(process.cpu_times()[:2])))

    def memory_mb(self) -> float:
        """What is shared with nobody (USS)."""
        return sum(self._of_all(lambda process: process.memory_full_info().uss)) / 1e6

    def _of_all(self, look: Callable[[psutil.Process], float]) -> Iterator[float]:
        for process in (self._process, *self._process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # it was there for a moment
                yield look(process)


@asynccontextmanager
async def started(system: str, cores: Sequence[int]) -> AsyncIterator[Server]:
    """`system` on `cores` (none: wherever the operating system puts it). Raises Unavailable."""
    with tempfile.TemporaryDirectory(prefix="voicebot-bench-", ignore_cleanup_errors=True) as folder:
        begun = _voicebot(Path(folder)) if system == "voicebot" else _peer(system)
        said = Path(folder) / "said.txt"
        with said.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *begun.command, cwd=folder, env={**os.environ, **begun.environment}, stdout=output, stderr=output
            )
        try:
            if cores:
                psutil.Process(process.pid).cpu_affinity(list(cores))
            await _ready(begun, process, said)
            yield Server(begun.door, process.pid)
        finally:
            await _kill(process)


@dataclass(frozen=True)
class _Begun:
    command: list[str]
    door: Door
    environment: dict[str, str] = field(default_factory=dict)
    ready_path: str = ""


def _peer(system: str) -> _Begun:
    port = _free_port()
    command = [sys.executable, "-m", f"voicebot.evals.bench.calls.systems.{system}", str(port)]
    return _Begun(command, Door(f"http://127.0.0.1:{port}"))


def _voicebot(folder: Path) -> _Begun:
    """`voicebot serve` as it is in production, with one worker, its records and its checks: only the providers are
    stand-ins, and its own limit is no limit."""
    (folder / "agents").mkdir()
    (folder / "agents" / f"{_AGENT}.yaml").write_text(stubs.AGENT)
    port, token = _free_port(), secrets.token_hex(16)
    program = [sys.executable, "-c", "from voicebot.commands import main; main()"]
    options = ["--port", str(port), "--workers", "1", "--calls", str(_NO_LIMIT), "--log", "json"]
    environment = {"VOICEBOT_PARTS": stubs.PARTS, "TWILIO_AUTH_TOKEN": token}
    door = Door(f"http://127.0.0.1:{port}", _AGENT, token)
    return _Begun([*program, "serve", str(folder), *options], door, environment, "/readyz")


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
    await process.wait()


async def _ready(begun: _Begun, process: asyncio.subprocess.Process, said: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not await _is_ready(begun):
        if process.returncode is not None or time.monotonic() > deadline:
            words = (await asyncio.to_thread(said.read_text, errors="replace")).strip()[-_SAID:]
            raise Unavailable(f"the server under test did not start. It said: {words}")
        await asyncio.sleep(0.1)


async def _is_ready(begun: _Begun) -> bool:
    """Whether it listens; where it has a page that says so, whether that does."""
    where = urlsplit(begun.door.url)
    try:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
    except OSError:
        return False
    try:
        if not begun.ready_path:
            return True
        writer.write(f"GET {begun.ready_path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(_ANSWER_S):
            return b" 200 " in await reader.readline()
    except OSError:  # it is not there yet, or too busy with getting there
        return False
    finally:
        writer.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cores() -> tuple[list[int], list[int]]:
    """(one core for the server, the others for the callers); nothing where there is only one, or no way to say so."""
    if not hasattr(os, "sched_getaffinity"):
        return [], []
    first, *others = sorted(os.sched_getaffinity(0))
    return ([first], others) if others else ([], [])


def busy_seconds(cores: Sequence[int]) -> float:
    """What these cores have done since the machine began, for whomever."""
    if not cores:
        return 0.0
    times = psutil.cpu_times(percpu=True)
    return float(sum(sum(times[core]) - times[core].idle - getattr(times[core], "iowait", 0.0) for core in cores))
