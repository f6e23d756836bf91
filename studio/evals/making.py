"""A run that is being made: beside the screen, watched by it, and stopped when it wishes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path

from voicebot.evals.kept import provenance, runs
from voicebot.evals.kept.arguments import Arguments
from voicebot.evals.kept.runs import Run, State
from voicebot.evals.planned import Planned
from voicebot.evals.result import Result
from voicebot.evals.running import runner
from voicebot.evals.running.board import Board, Call
from voicebot.evals.running.estimate import estimate
from voicebot.evals.running.jobs import Job, Progress
from voicebot.evals.running.pool import Pool
from voicebot.evals.trial import Trial

LOG = "workers.log"


@dataclass
class Making:
    """`make` blocks until the run is over: it is for a thread. All else may be asked at any time."""

    root: Path
    arguments: Arguments
    plan: Sequence[Planned]
    ended_one: Callable[[Result, Path], None] = lambda result, folder: None
    """Told of each call that has ended for good, in the thread that makes."""
    keep: Path | None = None
    """The project in whose evals/runs/ it is kept, when that is not `root`."""
    run: Run | None = None
    board: Board | None = None
    _stopped: bool = False
    _jobs: int = field(default_factory=provenance.cores)

    def make(self) -> State:
        """Raises BadInput and Unavailable; what was done until then is kept."""
        cases = [planned.case for planned in self.plan]
        self.run = run = runs.begin(self.keep or self.root, self.arguments, cases)
        if self.keep is not None:
            run.meta.hashes = provenance.of_project(self.root)
        todo = runner.jobs(run, self.plan, skip_idle=not self.arguments.real_time, judge=self.arguments.judge)
        size = min(self._jobs, max(1, len(todo)))
        self.board = Board(cases, [], size, estimate(cases, self.root, size).seconds)
        _can_start_processes()
        return runner.make(run, todo, Pool(size, runner.play, run.folder / LOG, warm=runner.warm), watch=self)

    def stop(self) -> None:
        """It ends within a moment, and keeps what is done."""
        self._stopped = True

    @property
    def under_way(self) -> dict[str, str]:
        """Case -> how far its call is."""
        if self.board is None:
            return {}
        return {case_id: _told(call) for case_id, call in list(self.board.under_way.items())}

    # -- what the runner tells, in its thread ------------------------------------------------------------------------

    def began(self, job: Job) -> None:
        assert self.board is not None
        self.board.began(job)

    def moved(self, progress: Progress) -> None:
        assert self.board is not None
        self.board.moved(progress)

    def ended(self, job: Job, trial: Trial, result: Result, *, again: bool) -> None:
        assert self.board is not None
        self.board.ended(job, trial, result, again=again)
        if not again:
            self.ended_one(result, job.folder)

    def tick(self) -> None:
        if self._stopped:
            raise KeyboardInterrupt  # what Ctrl-C does to `voicebot eval run`: the runner ends in order


def _told(call: Call) -> str:
    if not call.turn:
        return "is greeted" if call.call_s else "begins"
    return f"turn {call.turn}, {call.call_s:.0f} s"


def _can_start_processes() -> None:
    """The first new process starts a helper that inherits stderr, and Textual's stand-in for that has no number."""
    with redirect_stderr(sys.__stderr__):
        resource_tracker.ensure_running()


def exactly(name: str) -> str:
    """A pattern that means this name alone, and not all that contain it."""
    return f"[{name[0]}]{name[1:]}"
