"""The figures of several processes added up: prometheus_client's multiprocess mode, with places instead of processes.

Each worker counts in files of its own (`<kind>_<place>.db`, mapped into memory), so nobody locks and nobody waits. As a
place outlives its worker, the next one there goes on counting where the last one stopped, however that ended: counters
never go down, and there are never more files than places. What is *now* (gauges) begins anew with each worker, and
counts only while somebody sits there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from prometheus_client import Metric, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder. Read when a file is opened."""
_NOW = "gauge"
_KINDS = ("counter", "histogram", f"{_NOW}_livesum")
"""The files that there will be."""
_BYTES = 2**20
"""Of each: some five thousand numbers. It grows when there are more."""


def share(folder: Path, place: int) -> None:
    """From now on this process counts in `folder`, as the one in `place`: for every metric that is made after this,
    those that tools of the project make, too. Once for each process. Raises OSError when the disk is full."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in folder.glob(f"{_NOW}_*_{place}.db"):
        file.unlink()
    for kind in _KINDS:
        _reserve(folder / f"{kind}_{place}.db")
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]  # that package has no types there


def _reserve(file: Path) -> None:
    """Whoever writes into a mapped file that the disk has no room for is killed: so the room is taken first."""
    if file.exists():
        return
    fresh = file.with_suffix(".fresh")
    fresh.write_bytes(bytes(_BYTES))
    fresh.rename(file)  # nobody reads one without its size


class Merged(Collector):
    """What all processes counted that share `folder`; `taken` are the places somebody sits in now."""

    def __init__(self, folder: Path, taken: Collection[int]) -> None:
        self._folder = folder
        self._taken = taken

    def collect(self) -> Iterable[Metric]:
        counted = [str(file) for file in sorted(self._folder.glob("*.db")) if self._counts(file)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(counted)  # type: ignore[no-untyped-call]  # it has none either
        return metrics

    def _counts(self, file: Path) -> bool:
        kind, *_, place = file.stem.split("_")
        return kind != _NOW or int(place) in self._taken
