"""What a run looks like from outside while it goes on: counted from what the runner tells."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from voicebot.evals.case import Case
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial

from .jobs import Job, Progress


@dataclass
class Call:
    """One that is under way."""

    case: Case
    attempt: int
    turn: int = 0
    call_s: float = 0.0
    began_s: float = field(default_factory=time.monotonic)


class Board:
    """Counts and estimates of one run; a runner's watch that draws nothing."""

    def __init__(self, planned: Sequence[Case], kept: Sequence[Result], jobs: int, guess_s: float) -> None:
        """`kept`: results from before, of a run that is gone on with; `guess_s`: what all of it may take."""
        self.planned = list(planned)
        self.verdicts: dict[str, str] = {result.case.id: result.verdict for result in kept}
        self.under_way: dict[str, Call] = {}
        self.retries = 0
        self.last: Result | None = None
        self._jobs = jobs
        self._guess_s = guess_s
        self._began_s = time.monotonic()
        self._made = 0
        self._call_s = 0.0
        self._wall_s = 0.0

    def began(self, job: Job) -> None:
        self.under_way[job.case.id] = Call(job.case, job.attempt)

    def moved(self, progress: Progress) -> None:
        if call := self.under_way.get(progress.job.case.id):
            call.turn, call.call_s = progress.turn, progress.call_s

    def ended(self, job: Job, trial: Trial, result: Result, *, again: bool) -> None:
        self.under_way.pop(job.case.id, None)
        self._made += 1
        self._call_s += trial.call_s
        self._wall_s += trial.wall_s
        self.retries += again
        self.last = result
        if not again:
            self.verdicts[job.case.id] = result.verdict

    def tick(self) -> None: ...

    def count(self, verdict: str) -> int:
        return sum(each == verdict for each in self.verdicts.values())

    @property
    def done(self) -> int:
        return len(self.verdicts)

    @property
    def counted(self) -> int:
        """Calls that say something about the agent."""
        return self.count("passed") + self.count("failed")

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    @property
    def speed(self) -> float | None:
        """Seconds of conversation in one second."""
        return self._call_s / self.elapsed_s if self._call_s and self.elapsed_s else None

    @property
    def left_s(self) -> float:
        """Until everything is done: by the pace so far, before that by the guess."""
        left = len(self.planned) - self.done
        if not self._made:
            return max(0.0, self._guess_s - self.elapsed_s)
        spent = sum(time.monotonic() - call.began_s for call in self.under_way.values())
        return max(0.0, self._wall_s / self._made * left - spent) / max(1, min(self._jobs, left))
