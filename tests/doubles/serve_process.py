"""`voicebot serve` as a user starts it: a process of its own, known by its port, its log and its memory.

    with serving(project, "--workers", "2") as server:
        httpx.get(f"{server.url}/readyz")

Providers are stand-ins: `PARTS`, or others that can be imported.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from voicebot.server import state
from voicebot.server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "0123456789abcdef0123456789abcdef"
"""Twilio's, of an account that does not exist."""
PARTS = "tests.doubles.served_parts:parts"
START_S = 90.0
STOP_S = 30.0


@dataclass
class Server:
    """One that runs."""

    project: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children())

    def memory_mb(self) -> float:
        """Resident, of all workers."""
        return float(sum(worker.memory_info().rss for worker in self.workers) / 2**20)

    def files(self) -> int:
        """Open ones of all workers: sockets, too."""
        return sum(worker.num_fds() for worker in self.workers)

    def status(self, path: str) -> int:
        """Of a GET without a key; 0: nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def create_keys(self, scopes: Iterable[str], count: int = 1) -> list[str]:
        """Secrets of new keys."""
        return asyncio.run(_create_keys(self.project, list(scopes), count))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S)


@contextmanager
def serving(project: Path, *options: str, parts: str = PARTS, **environment: str) -> Iterator[Server]:
    """Of `project`, with `options` of the command. Fails when it is not ready in time; stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = project / "serve.log"
    program = str(Path(sys.executable).with_name("voicebot"))
    command = [program, "serve", str(project), "--port", str(port), *options]
    told = {"VOICEBOT_PARTS": parts, "TWILIO_AUTH_TOKEN": TOKEN, "PYTHONPATH": str(ROOT), **environment}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **told}, stdout=output, stderr=output)
    server = Server(project, port, log, process)
    try:
        _until_ready(server)
        yield server
    finally:
        _end(process)


def _until_ready(server: Server) -> None:
    until_s = time.monotonic() + START_S
    while server.status("/readyz") != 200:
        left = server.process.poll() is None and time.monotonic() < until_s
        assert left, f"the server did not start:\n{server.log.read_text(errors='replace')[-3000:]}"
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Also with its workers, should it not be able to end them itself."""
    if process.poll() is not None:
        return
    workers = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for each in [*workers, psutil.Process(process.pid)]:
            with suppress(psutil.NoSuchProcess):  # it was the last call's that one waited for
                each.kill()
        process.wait()


async def _create_keys(project: Path, scopes: list[str], count: int) -> list[str]:
    async with await state.State.open(state.default_url(Settings(project=project))) as kept:
        made = [await kept.keys.create(f"key-{time.time_ns()}-{number}", scopes) for number in range(count)]
    return [secret for _, secret in made]
