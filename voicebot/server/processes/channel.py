"""The line between a supervisor and one of its workers: a pair of unix sockets.

To the worker go connections, each as one byte with an open file. Back come lines of JSON: what the worker has to say,
and how many connections it has taken. When one of the two is gone, the line ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

_MOST_FILES = 32
_MOST_UNTAKEN = 128
"""Connections that may wait for one worker to take them; while they do, it gets no more."""


class WorkerEnd:
    """In the worker."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._taken = 0

    def listen(self, take: Callable[[socket.socket], object], gone: Callable[[], object]) -> None:
        """From now on `take(connection)` is called for each, on the running loop, and `gone()` at the end."""
        self._sock.setblocking(False)
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._read, take, gone)

    def _read(self, take: Callable[[socket.socket], object], gone: Callable[[], object]) -> None:
        try:
            data, files, _, _ = socket.recv_fds(self._sock, _MOST_FILES, _MOST_FILES)
        except BlockingIOError:
            return
        except OSError:
            data, files = b"", []
        for file in files:
            take(socket.socket(fileno=file))
        if files:
            self._taken += len(files)
            self.tell(taken=self._taken)
        if not data:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            gone()

    def tell(self, **what: Any) -> None:
        """To the supervisor; when it is gone, nobody hears."""
        try:
            self._sock.sendall(json.dumps(what).encode() + b"\n")
        except OSError:
            return


class SupervisorEnd:
    """In the supervisor. A connection stays open here, too, until the worker has taken it: should the worker die
    before that, another one gets it."""

    def __init__(self, sock: socket.socket, heard: Callable[[dict[str, Any]], object]) -> None:
        """`heard(what)` is called for everything the worker tells; not for `taken`, which is between these two ends."""
        sock.setblocking(False)
        self._sock = sock
        self._heard = heard
        self._untaken: deque[socket.socket] = deque()
        self._taken = 0
        self._buffer = b""
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read)

    def hand(self, connection: socket.socket) -> bool:
        """Whether the worker will get this connection; else it is still the caller's."""
        if len(self._untaken) >= _MOST_UNTAKEN:
            return False
        try:
            socket.send_fds(self._sock, [b"c"], [connection.fileno()])
        except OSError:  # it is busy, or it has just died
            return False
        self._untaken.append(connection)
        return True

    def close(self) -> list[socket.socket]:
        """The end of the line. Returns the connections that the worker did not take. Idempotent."""
        if self._sock.fileno() >= 0:
            self._read()  # what it said last
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._sock.close()
        left = list(self._untaken)
        self._untaken.clear()
        return left

    def _read(self) -> None:
        try:
            data = self._sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._line(json.loads(line))

    def _line(self, told: dict[str, Any]) -> None:
        if (taken := told.get("taken")) is None:
            self._heard(told)
            return
        for _ in range(taken - self._taken):
            self._untaken.popleft().close()
        self._taken = taken
