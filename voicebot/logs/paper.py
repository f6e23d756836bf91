"""Where lines are written: stderr, by a thread of its own."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable

_MOST_WAITING = 2000
"""Lines."""
_READY_S = 20.0
_LAST_LINES_S = 2.0


class Paper:
    """Should nobody read the log any more, or its disk be full, no call waits for that, and lines are left out."""

    def __init__(self, ready: Callable[[], object]) -> None:
        """`ready` is done first, on the thread."""
        self._ready = ready
        self._begin()
        atexit.register(self._end)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lines: queue.Queue[Callable[[], str] | None] = queue.Queue(_MOST_WAITING)
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def write(self, line: Callable[[], str]) -> None:
        """`line` is called on the thread; it must not raise."""
        if self._process != os.getpid():
            self._begin()  # threads are not copied: a forked process has none
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def _work(self) -> None:
        self._ready()
        self._is_ready.set()
        while (line := self._lines.get()) is not None:
            text = line()
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                sys.stderr.write(text + "\n")  # in one piece: several processes write here
                sys.stderr.flush()

    def _end(self) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._is_ready.wait(_READY_S)
        self._thread.join(_LAST_LINES_S)
