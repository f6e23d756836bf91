"""What this machine has for a model: cores that compute, and memory that is free."""

from __future__ import annotations

import os
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Physical cores that this process may use. More threads than that only wait for each other."""
    allowed = _allowed()
    siblings = {_read(CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list") or str(cpu) for cpu in allowed}
    return max(1, min(len(siblings), _quota() or len(siblings)))


def _allowed() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _quota() -> int:
    """Whole cores that a container is given; 0 when there is no limit."""
    limit, _, period = _read(CGROUP / "cpu.max").partition(" ")
    return max(1, int(limit) // int(period)) if limit.isdigit() and period.isdigit() else 0


def free_memory() -> int:
    """Bytes that can be taken without swapping, within a container's limit; 0 when the system does not say."""
    free = next(
        (int(line.split()[1]) * 1024 for line in _read(Path("/proc/meminfo")).splitlines() if "MemAvailable" in line),
        0,
    )
    limit, used = _read(CGROUP / "memory.max"), _read(CGROUP / "memory.current")
    if limit.isdigit() and used.isdigit():
        cache = next(
            (line for line in _read(CGROUP / "memory.stat").splitlines() if line.startswith("file ")), "file 0"
        )
        left = int(limit) - int(used) + int(cache.split()[1])
        return min(free, left) if free else left
    return free


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
