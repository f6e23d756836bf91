"""What has been spent today: a sum that several processes share and that outlives all of them.

    <project>/.voicebot/spending/<agent>-2026-11-23.log      one line an amount: dollars, and the call

Every process appends to the file and reads what the others appended; a line that is written at once is whole, on any
local file system. A thread of its own does that: adding and asking never wait for the disk.
"""

from __future__ import annotations

import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from loguru import logger


class Tally:
    """One file's sum in one process; see `tally_of`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known_usd = 0.0
        """Of the file."""
        self._read_bytes = 0
        self._added: list[tuple[float, str]] = []
        """Not in the file yet. All that is written at a time is one job of the thread's: no more ever wait."""
        self._at_work = False
        self._lock = threading.Lock()

    @property
    def usd(self) -> float:
        """Dollars so far: all of this process's, and of the others' what they had spent when this one last looked."""
        with self._lock:
            return self._known_usd + math.fsum(usd for usd, _ in self._added)

    def add(self, usd: float, call_id: str) -> None:
        with self._lock:
            self._added.append((usd, call_id))
            if self._at_work:
                return
            self._at_work = True
        _writer().submit(self._work)

    def look(self) -> None:
        """Read what others have spent. Waits for the disk."""
        _writer().submit(self._read).result()

    def _work(self) -> None:
        while True:
            with self._lock:
                lines = [f"{usd:.9f} {call_id}\n" for usd, call_id in self._added]
                if not lines:
                    self._at_work = False
                    return
            self._write("".join(lines), len(lines))

    def _write(self, lines: str, count: int) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(file, lines.encode())
            finally:
                os.close(file)
        except OSError as error:
            logger.warning(f"what calls cost today is known to this process alone: {self._path}: {error.strerror}")
            with self._lock:
                self._known_usd += math.fsum(usd for usd, _ in self._added[:count])
                del self._added[:count]
            return
        self._read(count)

    def _read(self, written: int = 0) -> None:
        """What is new in the file; the first `written` of what was added are in it."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read_bytes)
                whole = file.read().rpartition(b"\n")[0]
        except OSError:  # nobody has spent anything today, or it cannot be read: writing complains of that
            whole = b""
        with self._lock:
            self._read_bytes += len(whole) + 1 if whole else 0
            self._known_usd += math.fsum(_dollars(line) for line in whole.split(b"\n"))
            del self._added[:written]


def _dollars(line: bytes) -> float:
    """0 for a line that somebody's editor, or a full disk, has broken."""
    try:
        usd = float(line.split(b" ", 1)[0])
    except ValueError:
        return 0.0
    return usd if math.isfinite(usd) and usd > 0 else 0.0


@cache
def tally_of(path: Path) -> Tally:
    """The sum in that file, shared by all calls of this process."""
    return Tally(path)


@cache
def _writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="spending")
