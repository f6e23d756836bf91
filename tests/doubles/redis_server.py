"""A real Redis on a socket of its own, where Debian's package is installed."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest


class RedisServer:
    """Starts with `start`, dies with `kill`; what was in it is gone then."""

    def __init__(self, folder: Path, password: str = "") -> None:
        self._program = shutil.which("redis-server")
        if self._program is None:
            pytest.skip("Redis is not installed (Debian: redis-server)")
        self._socket = folder / "redis.sock"
        self._folder = folder
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{f':{password}@' if password else ''}{self._socket}"

    def start(self) -> None:
        assert self._program
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(self._folder)]
        if self._password:
            options += ["--requirepass", self._password]
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 5
        while not self._socket.exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert self._socket.exists(), "Redis did not start"

    def send(self, signal: int) -> None:
        assert self._process
        self._process.send_signal(signal)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)
