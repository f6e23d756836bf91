"""Calls that are only staged: plans, results and tasks of workers without an engine behind them.

What a case does stands in its persona's name: 'good', 'bad', 'invalid', 'dies', 'hangs', 'raises', 'misspelt' or
'unavailable'; 'dies-once' and 'hangs-once' are well at the second attempt; 'slow' takes half a second, 'patient' lets
another call of the run end first.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicebot.errors import BadInput, Unavailable
from voicebot.evals.case import Case
from voicebot.evals.kept import runs
from voicebot.evals.kept.runs import Meta, Run
from voicebot.evals.measures import Measures, Rate
from voicebot.evals.planned import Planned
from voicebot.evals.result import Finding, Result, Verdict
from voicebot.evals.running.jobs import Job, Progress, Report
from voicebot.evals.trial import Trial

STARTED = "2027-03-01T09:30:00+01:00"


@dataclass(frozen=True)
class Stub:
    """As much of a planned call as the runner looks at."""

    case: Case


def case(persona: str = "good", seed: int = 0, scenario: str = "books", line: str = "clean") -> Case:
    return Case(scenario=scenario, persona=persona, line=line, seed=seed, agent="ava")


def plan(*personas: str, seeds: int = 1, scenarios: Sequence[str] = ("books",)) -> list[Planned]:
    """A matrix of scenarios, personas and seeds."""
    cases = [case(persona, seed, scenario) for scenario in scenarios for persona in personas for seed in range(seeds)]
    return [Stub(each) for each in cases]  # type: ignore[misc]  # the runner only looks at their cases


def finding(ok: bool = False, check: str = "expect data/appointments.json") -> Finding:
    return Finding(check=check, ok=ok, stage="tools", says="expected 1 record, found none", at_ms=12_300.0, quote="two")


def result(case: Case, verdict: Verdict = "passed", attempt: int = 1, **more: object) -> Result:
    findings = [finding(verdict == "passed")]
    measures = Measures(v2v_ms=[600.0, 800.0], responses=Rate(hits=2, n=2), cost_usd=0.01, priced_usd=0.01, call_s=30.0)
    given = {"findings": findings, "measures": measures, "broke": "the line broke" if verdict == "invalid" else ""}
    return Result(case=case, attempt=attempt, verdict=verdict, **{**given, **more})


def trial(case: Case, attempt: int = 1, folder: Path | None = None) -> Trial:
    return Trial(case=case, attempt=attempt, folder=folder, ended="caller_hung_up", call_s=30.0, wall_s=2.0)


def run(root: Path, planned: Iterable[Planned], suite: str = "ci", run_id: str = "") -> Run:
    """A new run on the disk, with nothing in it."""
    cases = [each.case for each in planned]
    run_id = run_id or runs.new_id(suite)
    return runs.create(root, Meta(id=run_id, suite=suite, started_at=STARTED, planned=cases))


def kept(root: Path, *results: Result, suite: str = "ci", run_id: str = "") -> Run:
    """A finished run with these results."""
    made = run(root, [Stub(each.case) for each in results], suite, run_id)  # type: ignore[misc]  # as in plan, above
    for each in results:
        made.add(trial(each.case, each.attempt), each)
    made.meta.state = "done"
    made.save()
    return made


def play(job: Job, report: Report) -> tuple[Trial, Result]:
    """The task: what the persona's name says."""
    what, _, once = job.case.persona.partition("-")
    if once != "once" or job.attempt == 1:
        _misbehave(what)
    if what == "patient":
        _let_another_end(job.folder.parent, report)
    report(1, 4.0)
    job.folder.mkdir(parents=True)
    (job.folder / "events.jsonl").write_text("")
    (job.folder / "ended").write_text("")
    verdict: Verdict = "failed" if what == "bad" else "invalid" if what == "invalid" else "passed"
    return trial(job.case, job.attempt, job.folder), result(job.case, verdict, job.attempt)


def _let_another_end(calls: Path, report: Report) -> None:
    deadline_s = time.monotonic() + 60
    while not any(calls.glob("*/ended")) and time.monotonic() < deadline_s:
        report(0, 0.0)  # it is alive
        time.sleep(0.05)


def _misbehave(what: str) -> None:
    if what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "hangs":
        time.sleep(600)
    elif what == "raises":
        raise ZeroDivisionError("the engine broke")
    elif what == "misspelt":
        raise BadInput("agents/ava.yaml:3:1 unknown key 'brian'.")
    elif what == "unavailable":
        raise Unavailable("openai: no answer.")
    elif what == "slow":
        time.sleep(0.5)


class Seen:
    """Who watches a run, and notes it."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, str, bool]] = []
        self.turns: list[int] = []

    def began(self, job: Job) -> None: ...

    def moved(self, progress: Progress) -> None:
        self.turns.append(progress.turn)

    def ended(self, job: Job, trial: Trial, result: Result, *, again: bool) -> None:
        self.ends.append((job.case.persona, result.verdict, again))

    def tick(self) -> None: ...
