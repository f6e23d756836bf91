"""One call, read for a replay: what happened, laid out in lanes, and how loud both sides were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voicebot.errors import BadInput
from voicebot.evals.kept import runs
from voicebot.evals.report import lanes, sound
from voicebot.evals.result import Finding, Result
from voicebot.personas import truth
from voicebot.store import calls
from voicebot.store.calls import CallRecord

STEP_MS = 10.0
"""How finely loudness is known."""
Loudness = npt.NDArray[np.float32]
"""(steps, 2): the largest sample of caller and agent in each step, 0 to 1."""


@dataclass(frozen=True)
class Tape:
    record: CallRecord
    loudness: Loudness | None
    """None of a typed call, and when its recording is gone."""
    result: Result | None = None
    """Its judgement, when it was made by a suite."""

    @property
    def folder(self) -> Path:
        return self.record.folder

    @property
    def findings(self) -> list[Finding]:
        """What checks found wrong."""
        return self.result.failed if self.result else []

    @cached_property
    def lanes(self) -> list[lanes.Lane]:
        return lanes.of(self.record.events, truth.read(self.folder))

    @cached_property
    def length_ms(self) -> float:
        heard_ms = len(self.loudness) * STEP_MS if self.loudness is not None else 0.0
        ends = [bar.end_ms for lane in self.lanes for bar in lane.bars]
        return max([1.0, self.record.duration_ms, heard_ms, *ends])

    @cached_property
    def turns_ms(self) -> list[float]:
        """Where each of the caller's turns begins, in order."""
        return sorted(bar.start_ms for lane in self.lanes if lane.name == "caller" for bar in lane.bars)


def load(folder: Path) -> Tape:
    """Blocks. Raises BadInput when there is no call (any more), or nothing of it can be read."""
    record = calls.read(folder)
    heard = sound.read(record.audio) if record.audio else None
    return Tape(record, _loudness(*heard) if heard else None, _judgement(folder))


def _loudness(samples: sound.Samples, rate_hz: int) -> Loudness:
    step = max(int(rate_hz * STEP_MS / 1000), 1)
    whole = np.abs(samples[: len(samples) // step * step])
    loudest_of_each: Loudness = whole.reshape(-1, step, 2).max(axis=1)
    return loudest_of_each


def _judgement(folder: Path) -> Result | None:
    """Where the call lies in a run of a suite: evals/runs/<id>/calls/<case>."""
    place = folder.absolute()
    try:
        run = runs.load(place.parent.parent)
    except BadInput:
        return None
    return next((result for result in run.results() if run.folder / result.call == place), None)


def loudest(loudness: Loudness, side: int, from_ms: float, to_ms: float, columns: int) -> Sequence[float]:
    """The largest loudness of each of `columns` equal parts of a stretch, 0 to 1; 0 beyond the recording."""
    edges = np.linspace(from_ms / STEP_MS, to_ms / STEP_MS, columns + 1)
    found = []
    for first, last in pairwise(edges):
        part = loudness[max(int(first), 0) : max(int(last), int(first) + 1), side]
        found.append(float(part.max()) if len(part) else 0.0)
    return found
