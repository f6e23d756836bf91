"""Making the calls of a run: hand them out, take what comes back, try invalid ones again, keep everything.

    run = runs.create(root, meta)
    state = runner.make(run, runner.jobs(run, plan), Pool(2, runner.play, log), watch=watch, budget=Budget())

Whatever stops it, all calls that came to their end are kept, and the same run can go on later with the rest.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from voicebot.errors import BadInput, Unavailable
from voicebot.evals.kept.runs import Run, State
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial

from .budget import Budget
from .cell import play, run_case, warm
from .jobs import Done, Job, Lost, News, Progress, Refused, invalid

if TYPE_CHECKING:
    from voicebot.evals.planned import Planned

__all__ = ["ATTEMPTS", "Crew", "Watch", "jobs", "make", "play", "run_case", "warm"]

ATTEMPTS = 3
"""How often a call is tried when it turns out invalid."""
GIVE_UP = 10
"""So many invalid calls and not one valid: something is wrong that no further call will change."""
_TICK_S = 0.25


class Crew(Protocol):
    """Who makes the calls: processes of this machine, or a cluster."""

    @property
    def busy(self) -> int:
        """Calls under way."""

    @property
    def free(self) -> bool:
        """Whether another one can be taken."""

    def submit(self, job: Job) -> None: ...

    def wait(self, timeout_s: float) -> list[News]:
        """What is heard of the calls within this time."""

    def close(self) -> None:
        """Stop everything that is under way."""


class Watch(Protocol):
    """Who is told of a run while it goes on."""

    def began(self, job: Job) -> None: ...

    def moved(self, progress: Progress) -> None: ...

    def ended(self, job: Job, trial: Trial, result: Result, *, again: bool) -> None:
        """`again`: it was invalid and will be tried once more."""

    def tick(self) -> None:
        """Four times a second, at least."""


def jobs(run: Run, plan: Sequence[Planned], *, skip_idle: bool = True, judge: str | None = None) -> list[Job]:
    """The calls that the run still lacks. Every cell is called once before any is called twice, so that a run that is
    stopped has seen as much as possible."""
    lacking = {case.id for case in run.missing()}
    tried = Counter(result.case.id for result in run.results())
    found, rounds = [], Counter[str]()
    for planned in plan:
        case = planned.case
        rounds[case.cell] += 1
        if case.id in lacking:
            attempt = tried[case.id] + 1
            job = Job(planned, run.call_folder(case, attempt), attempt, skip_idle, judge)
            found.append((rounds[case.cell], job))
    return [job for _, job in sorted(found, key=lambda pair: pair[0])]


def make(run: Run, todo: Sequence[Job], crew: Crew, *, watch: Watch, budget: Budget | None = None) -> State:
    """Make the calls and keep them in the run. Ctrl-C ends it in order, as 'interrupted'.

    Raises BadInput for a call that the project's files make impossible, Unavailable when nothing at all works.
    """
    making = _Making(run, todo, crew, watch, budget or Budget())
    began = time.monotonic()
    run.meta.state, run.meta.pid = "running", os.getpid()
    run.save()
    state: State = "interrupted"
    try:
        state = making.all()
    except KeyboardInterrupt:
        state = "interrupted"
    finally:
        crew.close()
        run.meta.state = state
        run.meta.seconds += time.monotonic() - began
        run.tidy()
        run.save()
    return state


class _Making:
    """The loop over one run."""

    def __init__(self, run: Run, todo: Sequence[Job], crew: Crew, watch: Watch, budget: Budget) -> None:
        self._run = run
        self._waiting = deque(todo)
        self._first = {job.case.id: job.attempt for job in todo}
        self._crew = crew
        self._watch = watch
        self._budget = budget
        self._valid = 0
        self._invalid = 0

    def all(self) -> State:
        while self._waiting or self._crew.busy:
            over = bool(self._budget.used_up)
            while self._waiting and self._crew.free and not over:
                job = self._waiting.popleft()
                self._crew.submit(job)
                self._watch.began(job)
            if over and not self._crew.busy:
                return "out_of_budget"
            for news in self._crew.wait(_TICK_S):
                self._take(news)
            self._watch.tick()
        return "done"

    def _take(self, news: News) -> None:
        if isinstance(news, Progress):
            self._watch.moved(news)
        elif isinstance(news, Refused):
            raise BadInput(news.why)
        elif isinstance(news, Lost):
            self._keep(news.job, *invalid(news.job, news.why))
        else:
            assert isinstance(news, Done)
            self._keep(news.job, news.trial, news.result)

    def _keep(self, job: Job, trial: Trial, result: Result) -> None:
        self._run.add(trial, result)
        self._budget.pay(result)
        again = result.verdict == "invalid" and job.attempt - self._first[job.case.id] + 1 < ATTEMPTS
        if again:
            self._waiting.append(job.again(self._run.call_folder(job.case, job.attempt + 1)))
        self._watch.ended(job, trial, result, again=again)
        self._valid += result.verdict != "invalid"
        self._invalid += result.verdict == "invalid"
        if self._invalid >= GIVE_UP and not self._valid:
            raise Unavailable(f"not one of {self._invalid} calls was valid, so no more are made. {result.broke}")
