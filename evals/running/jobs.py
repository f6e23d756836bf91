"""What is handed to a worker, and what is heard of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from voicebot.evals.case import Case
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial

if TYPE_CHECKING:
    from voicebot.evals.planned import Planned


@dataclass(frozen=True)
class Job:
    """One call to be made, for the first time or again."""

    planned: Planned
    folder: Path
    """Where the record of the call goes."""
    attempt: int = 1
    skip_idle: bool = True
    judge: str | None = None
    """The language model that judges instead of the suite's."""

    @property
    def case(self) -> Case:
        return self.planned.case

    def again(self, folder: Path) -> Job:
        return replace(self, folder=folder, attempt=self.attempt + 1)


@dataclass(frozen=True)
class Progress:
    """A call that is under way."""

    job: Job
    turn: int
    call_s: float


@dataclass(frozen=True)
class Done:
    """A call that was made and judged; it may have been an invalid one."""

    job: Job
    trial: Trial
    result: Result


@dataclass(frozen=True)
class Lost:
    """A call whose worker died, hung or failed: it says nothing about the agent."""

    job: Job
    why: str
    """One sentence."""


@dataclass(frozen=True)
class Refused:
    """A call that cannot be made because something in the project is wrong: no other attempt will help."""

    job: Job
    why: str


News: TypeAlias = Progress | Done | Lost | Refused
Report: TypeAlias = Callable[[int, float], None]
"""`report(turn, seconds)`: how far the call is."""
Task: TypeAlias = Callable[[Job, Report], tuple[Trial, Result]]
"""Makes one call. A function of a module, so that another process finds it by its name."""


def invalid(job: Job, why: str) -> tuple[Trial, Result]:
    """What is kept of a call that was lost."""
    folder = job.folder if job.folder.exists() else None
    trial = Trial(case=job.case, attempt=job.attempt, folder=folder, broke=why)
    return trial, Result(case=job.case, attempt=job.attempt, verdict="invalid", broke=why)
