"""The studio's end of a call: starts its process, passes orders in, hands reports out, and says so when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from pydantic import ValidationError

from . import wire

PATIENCE_S = 4.0
"""How long a process may take to write its record after it was told to hang up."""
EARLY = 16
"""Orders that may wait for the process to start."""
LAST_WORDS = 12
"""Lines of stderr that are shown when it died."""
_LONGEST = 16 * 1024 * 1024


class Line:
    """One process, for one call. `told(line, report)` is called on the event loop; after `Broke` or `Over` no more.

    Where the process dies without a word, a `Broke` is made up that says how.
    """

    def __init__(self, told: Callable[[Line, wire.Report], None]) -> None:
        self._told = told
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._is_over = False
        self._early: deque[wire.Order] = deque(maxlen=EARLY)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def is_over(self) -> bool:
        """No call can be made with it any more."""
        return self._is_over

    @property
    def last_words(self) -> str:
        """What the process wrote to stderr last."""
        return "\n".join(self._last_words)

    async def open(self) -> None:
        """Start the process; `Ready` follows in a few seconds, and orders given before wait for it."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "voicebot.studio.talk.engine",
            stdin=pipe, stdout=pipe, stderr=pipe, limit=_LONGEST, start_new_session=True, env=_environment(),
        )  # fmt: skip
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._overhear())]
        while self._early:
            self.order(self._early.popleft())

    def order(self, order: wire.Order) -> None:
        """Goes out at once, or as soon as there is a process; ignored when that is gone."""
        if self._process is None:
            self._early.append(order)
        elif self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(order.model_dump_json().encode() + b"\n")

    async def close(self) -> None:
        """Hang up, let the record be finished, and end the process."""
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        assert self._process
        assert self._process.stdout
        async for line in self._process.stdout:
            try:
                report = wire.REPORTS.validate_json(line)
            except ValidationError:
                self._last_words.append(line.decode(errors="replace").rstrip())
                continue
            self._tell(report)
        code = await self._process.wait()
        if not self._is_over:
            self._tell(wire.Broke(sentence=_died(code), is_bug=True))

    def _tell(self, report: wire.Report) -> None:
        if self._is_over:
            return
        self._is_over = isinstance(report, wire.Broke | wire.Over)
        self._told(self, report)

    async def _overhear(self) -> None:
        assert self._process
        assert self._process.stderr
        async for line in self._process.stderr:
            self._last_words.append(line.decode(errors="replace").rstrip())


def _died(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"The engine was ended by {signal.Signals(-code).name}."
    return f"The engine died without a word (exit code {code})."


def _environment() -> dict[str, str]:
    """Libraries that log to stderr would fill what is shown when it dies."""
    return {**os.environ, "LOGURU_AUTOINIT": os.environ.get("LOGURU_AUTOINIT", "0"), "PYTHONUNBUFFERED": "1"}
