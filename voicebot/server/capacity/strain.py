"""How hard a worker works, measured cheaply enough to be measured all the time."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path

_EVERY_S = 0.1
_WINDOW = 30
"""Looks that the percentile is taken over: three seconds."""
_CGROUP = Path("/sys/fs/cgroup")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class LoopLag:
    """How late the event loop comes to what is due: what every sound in this process waits.

    One stall, such as a call's beginning, is one look; only when the loop is late again and again does the percentile
    rise.
    """

    def __init__(self, told: Callable[[float], object] = lambda _seconds: None) -> None:
        """`told(seconds)` is called with each look."""
        self._told = told
        self._late_s: deque[float] = deque([0.0] * _WINDOW, maxlen=_WINDOW)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._expect()

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _expect(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time() + _EVERY_S
        self._timer = loop.call_at(due_s, self._look, due_s)

    def _look(self, due_s: float) -> None:
        late_s = max(0.0, asyncio.get_running_loop().time() - due_s)  # a sum of these must never fall
        self._late_s.append(late_s)
        self._told(late_s)
        self._expect()

    @property
    def p95_ms(self) -> float:
        """95th percentile over the last three seconds."""
        return sorted(self._late_s)[int(0.95 * (_WINDOW - 1))] * 1000


def rss_bytes() -> int:
    """What this process holds in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def memory_left_bytes(cgroup: Path | None = None, meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """What may still be used before something is killed: of the container (cgroup v2) or the machine, whichever is
    less. None where the system does not say."""
    known = [left for left in (_cgroup_left(cgroup or _own_cgroup()), _machine_left(meminfo)) if left is not None]
    return min(known, default=None)


@cache
def _own_cgroup() -> Path:
    """Of this process; in a container that is the root it sees."""
    try:
        entries = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return _CGROUP
    return _CGROUP / next((entry[3:].lstrip("/") for entry in entries if entry.startswith("0::")), "")


def _cgroup_left(root: Path) -> int | None:
    try:
        most = int((root / "memory.max").read_text())  # "max" where there is no limit
        used = int((root / "memory.current").read_text())
        stat = dict(line.split() for line in (root / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return most - used + int(stat.get("inactive_file", 0))  # the kernel gives that back before it kills


def _machine_left(meminfo: Path) -> int | None:
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(found.split()[1]) * 1024 if found else None
