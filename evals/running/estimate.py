"""How long a run will take, from the calls that the project's earlier runs have made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from voicebot.errors import BadInput
from voicebot.evals.case import Case
from voicebot.evals.kept import runs

UNKNOWN_S = 6.0
"""What a spoken call of a minute takes on one core with the embedded stack, for a project without runs."""
START_S = 4.0
"""What a process needs before its first call."""
_LOOK_BACK = 5


@dataclass(frozen=True)
class Estimate:
    """Seconds of a run of `calls` calls, and how many of them are of a kind that has been made before."""

    seconds: float
    calls: int
    known: int

    def __str__(self) -> str:
        """'about 2 min', 'about 40 s (a guess: no such call was made here yet)'."""
        guess = "" if self.known else " (a guess: no such call was made here yet)"
        return f"about {spoken(self.seconds)}{guess}"


def estimate(cases: Sequence[Case], root: Path, jobs: int) -> Estimate:
    """With so many processes; calls of scenarios never made are taken for as long as the others."""
    seen = _seen(root)
    typical = median(seen.values()) if seen else UNKNOWN_S
    total = sum(seen.get(case.cell, typical) for case in cases)
    busy = max(1, min(jobs, len(cases)))
    return Estimate(total / busy + START_S, len(cases), sum(case.cell in seen for case in cases))


def _seen(root: Path) -> dict[str, float]:
    """Cell -> the median of the seconds that its valid calls took in the last runs."""
    took: dict[str, list[float]] = {}
    for folder in runs.newest_first(root)[:_LOOK_BACK]:
        try:
            trials = runs.load(folder).trials()
        except BadInput:  # of another version: an estimate is no reason to stop
            continue
        for trial in trials:
            if not trial.broke and trial.wall_s > 0:
                took.setdefault(trial.case.cell, []).append(trial.wall_s)
    return {cell: median(seconds) for cell, seconds in took.items()}


def spoken(seconds: float) -> str:
    """'45 s', '3 min', '1 h 20 min'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
