"""One measurement: a fresh server, N calls set up one by one, then a window of conversation.

CPU and memory are read from outside (the operating system's account of the server process); the event loop's delays
are sampled inside it, and only while calls are set up.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks import script
from benchmarks.caller import FRAME_GRAIN, FRAME_S, Caller, Reply
from benchmarks.script import TURN_S, Script, noise_frames
from benchmarks.systems.serve import WATCH_FILE

_START_TIMEOUT_S = 60.0
_WARM_UP_S = TURN_S + 2
"""How long the first calls are on before anything is measured: a greeting and a turn, so that everything is loaded."""
_FIRST_CALLS = 2
"""They speak at the same time, so that what two concurrent inferences need is not put down to later calls."""
_SET_UP_EVERY_S = 0.4
_SETTLE_S = TURN_S + 2
"""From the moment all callers begin to talk to the start of the window: each has had a turn."""
_LAST_REPLY_S = 3.0
"""A turn that ends this close to the end of the window is not judged: its reply may come later."""
_NOISE_FRAMES = 400


@dataclass(frozen=True)
class Measurement:
    """What one system did with `calls` concurrent calls."""

    system: str
    calls: int
    window_s: float
    cpu_s: float
    """CPU seconds of the server process in the window."""
    memory_mb_per_call: float | None
    """Growth of the server's unshared memory (USS) for each call after the first two; None without further calls."""
    setup_blocks_ms: list[float]
    """Longest delay of the event loop while each call after the first two was set up."""
    idle_block_ms: float
    """95th percentile of the loop's delays while nothing was set up: the noise floor of the figure above."""
    replies: list[Reply]
    """Of the turns judged."""
    dropped: int
    """Calls the server lost."""
    callers_late_ms: float
    """95th percentile of how late the callers sent their frames: when this is not small, nor are the latencies true."""

    @property
    def cpu_s_per_call_minute(self) -> float:
        return self.cpu_s / (self.calls * self.window_s / 60)


async def measure(system: str, calls: int, scripts: list[Script], window_s: float) -> Measurement:
    """Start `system`, put `calls` concurrent calls through, stop it. Takes the window plus 20 s plus 0.4 s a call."""
    callers, rng = _callers(calls), np.random.default_rng(calls)
    async with _server(system) as server:
        await _warm_up(callers[:_FIRST_CALLS], server)
        memory = server.memory_mb()
        blocks, idle = await _set_up(callers[_FIRST_CALLS:], server)
        for number, caller in enumerate(callers):
            caller.talk(scripts[number % len(scripts)], lead_frames=_random_lead(rng))
        await asyncio.sleep(_SETTLE_S)
        began, cpu_s = time.monotonic(), server.cpu_s()
        await asyncio.sleep(window_s)
        ended, cpu_s = time.monotonic(), server.cpu_s() - cpu_s
        grown = server.memory_mb() - memory
        await asyncio.gather(*(caller.hang_up() for caller in callers))
    replies = [reply for caller in callers for reply in caller.replies]
    return Measurement(
        system=system,
        calls=calls,
        window_s=ended - began,
        cpu_s=cpu_s,
        memory_mb_per_call=grown / (calls - _FIRST_CALLS) if calls > _FIRST_CALLS else None,
        setup_blocks_ms=blocks,
        idle_block_ms=idle,
        replies=[reply for reply in replies if began <= reply.speech_ended <= ended - _LAST_REPLY_S],
        dropped=sum(caller.dropped for caller in callers),
        callers_late_ms=float(np.percentile([ms for caller in callers for ms in caller.late_ms], 95)),
    )


def turns_needed(window_s: float) -> int:
    """How many turns a script must have so that no caller falls silent before the window ends."""
    return int((window_s + _SETTLE_S) / TURN_S) + 1


def _callers(calls: int) -> list[Caller]:
    """Callers spread evenly over the 20 ms between two frames."""
    noise = noise_frames(np.random.default_rng(calls), _NOISE_FRAMES)
    return [Caller(f"MZ{number}", noise, FRAME_S * number / calls) for number in range(calls)]


def _random_lead(rng: np.random.Generator) -> int:
    """Frames of noise before a script, so that callers are at random moments of their turns."""
    return int(rng.integers(0, int(TURN_S / FRAME_S / FRAME_GRAIN))) * FRAME_GRAIN


async def _warm_up(callers: list[Caller], server: _Server) -> None:
    """A greeting and one turn."""
    turn = script.write(seed=0, turns=1)
    for caller in callers:
        await caller.connect(server.port)
        caller.talk(turn)
    await asyncio.sleep(_WARM_UP_S)


async def _set_up(callers: list[Caller], server: _Server) -> tuple[list[float], float]:
    """Connect callers one by one: (the loop's longest delay during each, 95th percentile of its delays before)."""
    server.watch()
    idle_from = time.monotonic()
    await asyncio.sleep(1)
    dialled = []
    for caller in callers:
        dialled.append(time.monotonic())
        await caller.connect(server.port)
        await asyncio.sleep(_SET_UP_EVERY_S)
    late = await server.watched()
    idle = [ms for at, ms in late if idle_from <= at < idle_from + 1]
    blocks = [max((ms for at, ms in late if start <= at < start + _SET_UP_EVERY_S), default=0.0) for start in dialled]
    return blocks, float(np.percentile(idle, 95)) if idle else 0.0


class _Server:
    """The server process of a system, seen from outside."""

    def __init__(self, pid: int, port: int, watch_file: Path) -> None:
        self.port = port
        self._process = psutil.Process(pid)
        self._watch_file = watch_file

    def cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        return float(self._process.memory_full_info().uss / 1e6)

    def watch(self) -> None:
        """Begin to sample the event loop."""
        self._process.send_signal(signal.SIGUSR1)

    async def watched(self) -> list[tuple[float, float]]:
        """Stop sampling: [(time.monotonic(), delay in ms)]."""
        self._process.send_signal(signal.SIGUSR2)
        while not self._watch_file.exists():  # noqa: ASYNC110 - the file comes from another process
            await asyncio.sleep(0.05)
        return [(at, ms) for at, ms in json.loads(self._watch_file.read_text())]


@asynccontextmanager
async def _server(system: str) -> AsyncIterator[_Server]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        watch_file = Path(folder) / "watch.json"
        environment = {**os.environ, WATCH_FILE: str(watch_file)}
        command = (sys.executable, "-m", f"benchmarks.systems.{system}", str(port))
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        try:
            await _listening(port, process)
            yield _Server(process.pid, port, watch_file)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.returncode is not None:
            raise RuntimeError(f"the server stopped with exit code {process.returncode}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    raise RuntimeError(f"the server did not listen within {_START_TIMEOUT_S:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
