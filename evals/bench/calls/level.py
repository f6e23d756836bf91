"""One level: a fresh server, N calls from other processes, a window in which they talk."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
import psutil

from voicebot.errors import Unavailable
from voicebot.evals.bench.calls.caller import Reply
from voicebot.evals.bench.calls.crowd import Outcome
from voicebot.evals.bench.calls.plan import FIRST_CALLS, LAST_REPLY_S, Door, Plan, Timeline
from voicebot.evals.bench.calls.script import Script
from voicebot.evals.bench.calls.under_test import Server, busy_seconds, started

_CROWDS = 2
"""Client processes for each core they have."""
_READY_S = 3.0
"""How long client processes take until they can dial."""
_LOOK_EARLIER_S = 0.05
"""Before the callers hang up: what that costs is no part of the window."""


@dataclass(frozen=True)
class Measured:
    """What one system did with `calls` concurrent calls."""

    system: str
    calls: int
    window_s: float
    replies: list[Reply]
    """Of the turns judged."""
    lost: list[str]
    """Why each lost call was."""
    setups_s: list[float]
    callers_late_ms: float
    """95th percentile of how late callers sent their frames: when this is not small, no figure is true."""
    cpu_s: float | None = None
    """CPU seconds of the server in the window; None: it is somebody else's."""
    memory_mb_per_call: float | None = None
    """Growth of the server's unshared memory for each call after the first two; None without further calls."""
    foreign_s: float | None = None
    """CPU seconds that others used of the server's own cores in the window; None where it has none."""


@dataclass(frozen=True)
class Conditions:
    """The same for all levels of a run."""

    scripts: Sequence[Script]
    window_s: float
    server_cores: Sequence[int] = ()
    caller_cores: Sequence[int] = ()
    reply_s: float | None = None
    """How long a whole reply is; None: nobody knows."""


async def measure(system: str, calls: int, under: Conditions) -> Measured:
    """Start `system`, put `calls` concurrent calls through, stop it. Takes the window plus about 25 s."""
    async with started(system, under.server_cores) as server:
        return await _through(server, system, calls, under)


async def measure_at(door: Door, calls: int, under: Conditions) -> Measured:
    """The same with a server that runs already, of which nothing is known from outside."""
    return await _through(door, door.url, calls, under)


async def _through(server: Server | Door, system: str, calls: int, under: Conditions) -> Measured:
    times = Timeline.of(calls, under.window_s, time.monotonic() + _READY_S)
    plans = _plans(server if isinstance(server, Door) else server.door, calls, times, under)
    try:
        async with asyncio.TaskGroup() as tasks:
            crowds = [tasks.create_task(_crowd(plan, under.caller_cores)) for plan in plans]
            looking = tasks.create_task(_look(server, calls, times, under.server_cores))
    except* Unavailable as group:
        raise group.exceptions[0] from None
    outcomes = [crowd.result() for crowd in crowds]
    return Measured(
        system=system,
        calls=calls,
        window_s=under.window_s,
        replies=[reply for outcome in outcomes for reply in outcome.replies if _is_judged(reply, times)],
        lost=[why for outcome in outcomes for why in outcome.lost],
        setups_s=[took for outcome in outcomes for took in outcome.setups_s],
        callers_late_ms=max(outcome.late_ms for outcome in outcomes),
        **vars(looking.result()),
    )


def _is_judged(reply: Reply, times: Timeline) -> bool:
    return times.window <= reply.speech_ended <= times.over - LAST_REPLY_S


@dataclass(frozen=True)
class _Seen:
    """Of the server, from outside."""

    cpu_s: float | None = None
    memory_mb_per_call: float | None = None
    foreign_s: float | None = None


async def _look(server: Server | Door, calls: int, times: Timeline, cores: Sequence[int]) -> _Seen:
    if isinstance(server, Door):
        return _Seen()
    await _until(times.base)
    before_mb = server.memory_mb()
    await _until(times.window)
    before_s, busy_s = server.cpu_s(), busy_seconds(cores)
    await _until(times.over - _LOOK_EARLIER_S)
    cpu_s, busy_s = server.cpu_s() - before_s, busy_seconds(cores) - busy_s
    later = calls - FIRST_CALLS
    return _Seen(
        cpu_s,
        (server.memory_mb() - before_mb) / later if later > 0 else None,
        max(0.0, busy_s - cpu_s) if cores else None,
    )


def _plans(door: Door, calls: int, times: Timeline, under: Conditions) -> list[Plan]:
    """One for each client process. The first makes the visits, and no more calls than the others."""
    processes = min(calls, _CROWDS * (len(under.caller_cores) or os.cpu_count() or 1))
    whole = Plan(door, times, [], calls, list(under.scripts), visits=False, reply_s=under.reply_s)
    shares = [list(range(first, calls, processes)) for first in range(processes)]
    return [replace(whole, callers=share, visits=share is shares[-1]) for share in shares]


async def _crowd(plan: Plan, cores: Sequence[int]) -> Outcome:
    command = [sys.executable, "-m", "voicebot.evals.bench.calls.crowd"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        if cores:
            psutil.Process(process.pid).cpu_affinity(list(cores))
        outcome, complaints = await process.communicate(orjson.dumps(plan.as_json()))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Unavailable(f"the callers failed: {complaints.decode(errors='replace').strip()}")
    return Outcome.of(orjson.loads(outcome))


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
