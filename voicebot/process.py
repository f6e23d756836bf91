"""What is done and known once for a process, however many calls it has."""

from __future__ import annotations

import gc
import os
from functools import cache
from importlib.metadata import version


@cache
def settle_down() -> None:
    """Before the first call of the process: what is loaded stays, so the garbage collector need not walk it again.

    A full collection with the engine in memory takes 90 ms, and would come in the middle of calls.
    """
    versions()
    gc.collect()
    gc.freeze()


def usable_cores() -> int:
    """How many this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def versions() -> dict[str, str]:
    return {name: version(name) for name in ("voicebot", "pipecat-ai", "langgraph")}
