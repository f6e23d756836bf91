"""Where connections come in: taken by the supervisor, each handed to the worker that has the most room for a call."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable, Sequence

from loguru import logger

from voicebot.errors import BadInput, Unavailable
from voicebot.server.capacity.board import BoardRow
from voicebot.server.processes.crew import Worker

_BACKLOG = 2048
_AT_ONCE = 64
"""Connections taken before others get their turn on the loop."""
_PAUSE_S = 0.02
"""When nobody can take a connection, it waits in the kernel's queue for so long."""
_SETTLE_S = 1.0
"""A connection that has not become a call in this time will not."""


def listen(host: str, port: int) -> socket.socket:
    """The server's socket. Raises BadInput, Unavailable when it cannot be had."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise BadInput(f"--host: '{host}' is no address of this machine.") from None
    family, *_, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    try:
        server = socket.create_server(
            (address[0], port), family=family, backlog=_BACKLOG, dualstack_ipv6=_both(family, address[0])
        )
    except OSError as error:
        raise _unavailable(error, host, port) from None
    server.setblocking(False)
    return server


def _both(family: int, address: str | int) -> bool:
    """'::' is everywhere, by the old protocol too."""
    return family == socket.AF_INET6 and address == "::" and socket.has_dualstack_ipv6()


def _unavailable(error: OSError, host: str, port: int) -> BadInput | Unavailable:
    if error.errno == errno.EADDRINUSE:
        return Unavailable(f"port {port} is taken by another program. Choose another one: --port {port + 1}")
    if error.errno == errno.EACCES:
        return Unavailable(f"port {port} is for the system's administrator. Choose another one: --port 8080")
    return BadInput(f"--host: cannot listen on '{host}' ({error.strerror}).")


class Expected:
    """Connections that one worker was given and that may become calls: on the board they are not seen yet."""

    def __init__(self, row: BoardRow) -> None:
        self._row = row
        self._given: deque[float] = deque()
        """When; the oldest first."""
        self._seen = self._decided()

    def given(self, now_s: float) -> None:
        self._given.append(now_s)

    def count(self, now_s: float) -> int:
        """Those of which nothing is known yet. What was decided is taken for the oldest of them."""
        decided, before = self._decided(), self._seen
        self._seen = decided
        for _ in range(min(decided - before, len(self._given))):
            self._given.popleft()
        while self._given and now_s - self._given[0] > _SETTLE_S:
            self._given.popleft()
        return len(self._given)

    def _decided(self) -> int:
        return self._row.started + sum(self._row.refused.values())


class Doorway:
    """Between `open` and `close` it accepts."""

    def __init__(self, server: socket.socket, workers: Callable[[], Sequence[Worker]]) -> None:
        self._server = server
        self._workers = workers
        self._expected: dict[Worker, Expected] = {}
        self._turn = 0
        self._waiting: deque[socket.socket] = deque()
        """Connections of workers that have died."""
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None

    def open(self) -> None:
        self._loop.add_reader(self._server.fileno(), self._come_in)

    def close(self) -> None:
        """Connections that nobody has taken are refused."""
        if self._pause:
            self._pause.cancel()
        if self._server.fileno() >= 0:
            self._loop.remove_reader(self._server.fileno())
            self._server.close()
        while self._waiting:
            self._waiting.popleft().close()

    def again(self, connections: list[socket.socket]) -> None:
        """Whoever was to take these has died."""
        self._waiting.extend(connections)
        self._come_in()

    def _come_in(self) -> None:
        for _ in range(_AT_ONCE):
            connection = self._next()
            if connection is None:
                return
            if not self._hand(connection):
                self._waiting.appendleft(connection)
                self._wait()
                return

    def _next(self) -> socket.socket | None:
        if self._waiting:
            return self._waiting.popleft()
        try:
            return self._server.accept()[0]
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return None
        except OSError as error:  # too many open files, most likely
            logger.warning(f"a connection could not be taken: {error.strerror}")
            self._wait()
            return None

    def _wait(self) -> None:
        if self._pause is None:
            self._loop.remove_reader(self._server.fileno())
            self._pause = self._loop.call_later(_PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self.open()
        self._come_in()

    def _hand(self, connection: socket.socket) -> bool:
        now_s = self._loop.time()
        for worker in self._best_first(now_s):
            if worker.hand(connection):
                self._expected[worker].given(now_s)
                return True
        return False

    def _best_first(self, now_s: float) -> list[Worker]:
        """Who takes new calls, the most room first, then who only refuses; in turn where they are equal."""
        workers = [worker for worker in self._workers() if worker.row.ready]
        staying = [worker for worker in workers if not worker.row.draining] or workers
        self._expected = {worker: self._expected.get(worker) or Expected(worker.row) for worker in staying}
        self._turn += 1
        turn = self._turn % max(1, len(staying))
        in_turn = staying[turn:] + staying[:turn]
        return sorted(in_turn, key=lambda worker: self._room(worker, now_s), reverse=True)

    def _room(self, worker: Worker, now_s: float) -> tuple[bool, int]:
        """What is expected only decides between workers with room: most of it are requests, and become no call."""
        room = worker.row.limit - worker.row.calls
        return worker.row.refusing is None and room > 0, room - self._expected[worker].count(now_s)
