"""How every system is served: uvicorn as Pipecat's runner starts it, plus a watch on the event loop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from loguru import logger

WATCH_FILE = "BENCH_WATCH_FILE"
"""Environment variable: where the watch writes what it saw."""
_SAMPLE_S = 0.001


class LoopWatch:
    """Notices when the event loop does not come round: SIGUSR1 starts it, SIGUSR2 stops it and writes its samples.

    It wakes the loop a thousand times a second, so it runs only while calls are set up, never while CPU is measured.
    Written: a JSON list of [time.monotonic() at the end of the delay, milliseconds of delay].
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._task: asyncio.Task[None] | None = None
        self._late: list[tuple[float, float]] = []

    def install(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._start)
        loop.add_signal_handler(signal.SIGUSR2, self._stop)

    def _start(self) -> None:
        self._late = []
        self._task = asyncio.create_task(self._watch())

    def _stop(self) -> None:
        if self._task:
            self._task.cancel()
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._late))
        partial.rename(self._path)

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(_SAMPLE_S)
            now = time.monotonic()
            self._late.append((now, (now - before - _SAMPLE_S) * 1000))


def serve(app: Any, **how: Any) -> None:
    """Serve an ASGI app on the port given on the command line, on the plain asyncio loop, until terminated.

    `how`: uvicorn's settings that differ from how Pipecat's runner starts it.
    """
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    config = uvicorn.Config(app, port=int(sys.argv[1]), loop="asyncio", log_level="error", **how)
    asyncio.run(_serve(uvicorn.Server(config)))


async def _serve(server: uvicorn.Server) -> None:
    LoopWatch(Path(os.environ[WATCH_FILE])).install()
    await server.serve()
