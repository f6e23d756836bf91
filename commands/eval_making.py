"""The calls of `voicebot eval run`: which there are, with what they are made, and that Ctrl-C leaves them in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from voicebot import paths
from voicebot.errors import BadInput
from voicebot.evals.kept import provenance, runs
from voicebot.evals.kept.arguments import Arguments
from voicebot.evals.kept.runs import Run
from voicebot.evals.planned import Planned
from voicebot.evals.running import runner
from voicebot.evals.running.board import Board
from voicebot.evals.running.budget import Budget
from voicebot.evals.running.estimate import Estimate, estimate

from .eval_watch import watching

if TYPE_CHECKING:
    from voicebot.evals.running.runner import Crew

    from .terminal import Screen

LOG = "workers.log"


@dataclass
class Means:
    """With what calls are made."""

    jobs: int | None = None
    ray: str | None = None
    budget: Budget = field(default_factory=Budget)

    @property
    def at_once(self) -> int:
        return self.jobs or provenance.cores()

    def crew(self, run: Run, calls: int) -> Crew:
        """Processes of this machine, or a cluster. Raises Unavailable."""
        if self.ray is not None:
            from voicebot.evals.running.cluster import Cluster

            return Cluster(self.ray, runner.play, warm=runner.warm, limit=self.jobs)
        from voicebot.evals.running.pool import Pool

        return Pool(min(self.at_once, max(1, calls)), runner.play, run.folder / LOG, warm=runner.warm)


@dataclass(frozen=True)
class Order:
    """What was asked for: a new run, or one to be gone on with."""

    root: Path
    arguments: Arguments
    plan: list[Planned]
    going: Run | None = None

    @property
    def missing(self) -> list[Planned]:
        """The calls that are still to be made."""
        if self.going is None:
            return self.plan
        lacking = {case.id for case in self.going.missing()}
        return [planned for planned in self.plan if planned.case.id in lacking]

    def estimate(self, means: Means) -> Estimate:
        return estimate([planned.case for planned in self.missing], self.root, means.at_once)


def new(root: Path, arguments: Arguments) -> Order:
    """Raises BadInput for anything that is wrong in the suite's files."""
    return Order(root, arguments, arguments.plan(root))


def gone_on_with(screen: Screen, root: Path, which: str | None) -> Order:
    """The last run (of a suite), or the one that is named. Raises BadInput when there is none, or when the suite has
    other calls by now."""
    from voicebot.evals import suite

    named = which is not None and which not in suite.files(root) and which != suite.EVERYTHING
    run = runs.find(which, root) if named and which else runs.find(runs.LAST, root, suite=which)
    if run.state == "running":
        raise BadInput(
            f"the run {run.id} is being made by process {run.meta.pid}. Wait for it, or stop it with Ctrl-C."
        )
    plan = run.meta.arguments.plan(root)
    kept = {case.id for case in run.meta.planned}
    plan = [planned for planned in plan if planned.case.id in kept]
    changed = _changed(run, root)
    if changed:
        screen.warn(f"since this run began, these have changed: {', '.join(changed)}. Its calls are of both kinds.")
    if lost := len(kept) - len(plan):
        screen.warn(f"{lost} calls of this run are no longer in the suite and cannot be made.")
    return Order(root, run.meta.arguments, plan, run)


def _changed(run: Run, root: Path) -> list[str]:
    now = provenance.of_project(root)
    return [name for name in sorted({*now, *run.meta.hashes}) if now.get(name) != run.meta.hashes.get(name)]


def show_plan(screen: Screen, order: Order, means: Means, *, as_json: bool) -> None:
    """--dry-run: the calls, and how long they will take."""
    calls, guess = order.missing, order.estimate(means)
    if as_json:
        cases = [planned.case.model_dump() | {"id": planned.case.id} for planned in calls]
        screen.json({"suite": order.arguments.suite, "calls": cases, "seconds": round(guess.seconds, 1)})
        return
    rows: dict[str, list[Planned]] = {}
    for planned in calls:
        rows.setdefault(planned.case.cell, []).append(planned)
    headers = ["scenario", "persona", "line", "channel", "seeds"]
    screen.table(headers, [_row(cell) for cell in rows.values()])
    screen.talk(f"{_counted(len(calls), 'call')}, {guess} with {means.at_once} at a time")


def _row(cell: list[Planned]) -> list[Text]:
    case, seeds = cell[0].case, [planned.case.seed for planned in cell]
    shown = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]}-{seeds[-1]}"
    return [Text(case.scenario, "bold"), *(Text(each) for each in (case.persona, case.line, case.channel, shown))]


def make(screen: Screen, order: Order, means: Means) -> Run:
    """Make the calls that are missing. The run's state says how it ended; Ctrl-C is 'interrupted'."""
    run = order.going or runs.begin(order.root, order.arguments, [planned.case for planned in order.plan])
    todo = runner.jobs(run, order.plan, skip_idle=not order.arguments.real_time, judge=order.arguments.judge)
    guess = order.estimate(means)
    _announce(screen, run, len(todo), guess, means)
    kept = [result for result in run.final() if result.verdict != "invalid"]
    board = Board(run.meta.planned, kept, means.at_once, guess.seconds)
    with _stoppable(), watching(screen, board) as watch:
        runner.make(run, todo, means.crew(run, len(todo)), watch=watch, budget=means.budget)
    return run


def _announce(screen: Screen, run: Run, calls: int, guess: Estimate, means: Means) -> None:
    part = f", part {run.meta.arguments.shard}" if run.meta.arguments.shard else ""
    where = f"Ray at {means.ray}" if means.ray else f"{means.at_once} at a time"
    screen.talk(f"{run.meta.suite}{part}: {_counted(calls, 'call')}, {where}, {guess}", "dim")
    screen.talk(f"kept in {paths.shown(run.folder)}", "dim")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


@contextmanager
def _stoppable() -> Iterator[None]:
    """A build server that cancels a job sends SIGTERM: it ends a run as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
