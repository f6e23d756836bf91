"""The figures of all workers of a server, in memory that its processes share: a row for each, written by its worker.

    board = Board.create(run_dir / "board", places=4)      # the supervisor
    row = Board.open(run_dir / "board").row(2)             # the worker in place 2
    row.calls += 1

Every number is eight bytes, aligned, and has one writer, so nobody locks and whoever reads sees whole numbers. A place
outlives its worker: the counters of the next one in it go on from there.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path
from typing import Literal, get_args

from voicebot.events import CallEnded

Why = Literal["draining", "full", "lagging", "memory", "state", "ports"]
"""Why a call is refused."""
WHYS: tuple[Why, ...] = get_args(Why)
REASONS: tuple[str, ...] = get_args(CallEnded.model_fields["reason"].annotation)
"""How a call ends."""


class _Figures(ctypes.Structure):
    """Eight bytes each."""

    _fields_ = (
        ("pid", ctypes.c_int64),
        ("ready", ctypes.c_int64),
        ("draining", ctypes.c_int64),
        ("calls", ctypes.c_int64),
        ("limit", ctypes.c_int64),
        ("refusing", ctypes.c_int64),
        ("beat", ctypes.c_int64),
        ("lag_ms", ctypes.c_double),
        ("memory_bytes", ctypes.c_int64),
        ("since_s", ctypes.c_double),
        ("started", ctypes.c_int64),
        ("ended", ctypes.c_int64 * len(REASONS)),
        ("refused", ctypes.c_int64 * len(WHYS)),
    )


class BoardRow:
    """One worker's figures."""

    def __init__(self, place: int, figures: _Figures) -> None:
        self.place = place
        self._figures = figures

    # -- what a worker writes ----------------------------------------------------------------------------------------

    def begin(self, limit: int, since_s: float) -> None:
        """A new worker sits down here. `since_s` is the time of day, seconds since the epoch."""
        figures = self._figures
        figures.ready = figures.draining = figures.calls = figures.refusing = figures.memory_bytes = 0
        figures.lag_ms = 0.0
        figures.pid, figures.limit, figures.since_s = os.getpid(), limit, since_s

    def leave(self) -> int:
        """Nobody sits here any more, or somebody who was killed. Returns how many calls there were."""
        calls = self.calls
        figures = self._figures
        figures.pid = figures.ready = figures.draining = figures.calls = figures.refusing = 0
        return calls

    def call_began(self) -> None:
        self._figures.calls += 1
        self._figures.started += 1

    def call_left(self) -> None:
        """It needs no room any more, however it ended."""
        self._figures.calls -= 1

    def count_ended(self, reason: str, calls: int = 1) -> None:
        self._figures.ended[REASONS.index(reason)] += calls

    def count_refused(self, why: Why) -> None:
        self._figures.refused[WHYS.index(why)] += 1

    def measured(self, lag_ms: float, memory_bytes: int) -> None:
        self._figures.lag_ms, self._figures.memory_bytes = lag_ms, memory_bytes
        self._figures.beat += 1

    def refuse(self, why: Why | None) -> None:
        """Why this worker takes no call; None: it does."""
        self._figures.refusing = 0 if why is None else WHYS.index(why) + 1

    @property
    def ready(self) -> bool:
        """Connections are handed to this worker."""
        return bool(self._figures.ready)

    @ready.setter
    def ready(self, yes: bool) -> None:
        self._figures.ready = int(yes)

    @property
    def draining(self) -> bool:
        """It finishes its calls and takes no others."""
        return bool(self._figures.draining)

    @draining.setter
    def draining(self, yes: bool) -> None:
        self._figures.draining = int(yes)

    # -- what all read -----------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """0: nobody sits here."""
        return int(self._figures.pid)

    @property
    def calls(self) -> int:
        return int(self._figures.calls)

    @property
    def limit(self) -> int:
        return int(self._figures.limit)

    @property
    def refusing(self) -> Why | None:
        number = int(self._figures.refusing)
        return WHYS[number - 1] if number else None

    @property
    def lag_ms(self) -> float:
        """How late the event loop was, 95th percentile over the last seconds."""
        return float(self._figures.lag_ms)

    @property
    def memory_bytes(self) -> int:
        """What the process holds in memory (RSS)."""
        return int(self._figures.memory_bytes)

    @property
    def beat(self) -> int:
        """Changes while the worker's event loop turns."""
        return int(self._figures.beat)

    @property
    def since_s(self) -> float:
        """When this worker began, seconds since the epoch."""
        return float(self._figures.since_s)

    @property
    def started(self) -> int:
        """Calls that were taken here, since the server began."""
        return int(self._figures.started)

    @property
    def ended(self) -> dict[str, int]:
        """The same by how they ended."""
        return dict(zip(REASONS, self._figures.ended, strict=True))

    @property
    def refused(self) -> dict[Why, int]:
        """Calls that were turned away here, since the server began."""
        return dict(zip(WHYS, self._figures.refused, strict=True))


class Board:
    """All rows. There are more places than workers, for those that come before another has gone."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        size = ctypes.sizeof(_Figures)
        self._rows = tuple(
            BoardRow(place, _Figures.from_buffer(memory, place * size)) for place in range(len(memory) // size)
        )

    @classmethod
    def create(cls, path: Path, places: int) -> Board:
        """A new board, everything 0, that others open by its path; for this user only."""
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.ftruncate(number, places * ctypes.sizeof(_Figures))
            return cls(mmap.mmap(number, 0))
        finally:
            os.close(number)

    @classmethod
    def open(cls, path: Path) -> Board:
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), 0))

    @classmethod
    def alone(cls, places: int = 1) -> Board:
        """Of a server that is one process."""
        return cls(mmap.mmap(-1, places * ctypes.sizeof(_Figures)))

    def row(self, place: int) -> BoardRow:
        return self._rows[place]

    def places(self) -> tuple[BoardRow, ...]:
        """All, also those nobody sits in: their counters still count."""
        return self._rows

    def rows(self) -> list[BoardRow]:
        """The workers there are."""
        return [row for row in self._rows if row.pid]
