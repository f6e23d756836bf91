"""One cell of a suite from end to end: the call is made, measured and judged.

trial, result = run_case(planned, Path("calls/books.maria"))
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from voicebot.evals.kept import provenance
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial
from voicebot.events import CallStarted, Event

from .jobs import Job, Report

if TYPE_CHECKING:
    from voicebot.evals.planned import Planned
    from voicebot.personas.run import SimulatedCall


def warm() -> None:
    """Load what every call needs, so that the first one does not wait for it."""
    import voicebot.personas.run
    from voicebot.evals import scores, verdict

    assert voicebot.personas.run
    assert scores
    assert verdict


def play(job: Job, report: Report) -> tuple[Trial, Result]:
    """The task of a worker."""
    return run_case(
        job.planned, job.folder, attempt=job.attempt, skip_idle=job.skip_idle, judge=job.judge, report=report
    )


def run_case(
    planned: Planned,
    folder: Path,
    *,
    attempt: int = 1,
    skip_idle: bool = True,
    judge: str | None = None,
    report: Report | None = None,
) -> tuple[Trial, Result]:
    """Make the call, with its record in `folder` (what is there already goes), measure it and judge it.

    `judge` names the language model that judges instead of the suite's. Raises BadInput for what is wrong with the
    project's files, Unavailable when a provider is not there; what breaks in the call makes it 'invalid'.
    """
    shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    started: list[CallStarted] = []
    call = _called(planned, folder, skip_idle, [_first(started), _reporting(report)])
    wall_s = time.monotonic() - began
    trial = Trial.of(planned.case, call, attempt=attempt, wall_s=wall_s, hashes=_hashes(planned, folder, started))
    return trial, judged(planned, trial, judge)


def judged(planned: Planned, trial: Trial, judge: str | None = None) -> Result:
    """Measure and judge a call that has been made."""
    from voicebot.evals import scores, verdict

    measures = scores.measure(trial)
    return asyncio.run(verdict.judge(planned.scenario, trial, measures, llm=judge, root=planned.root))


def _called(planned: Planned, folder: Path, skip_idle: bool, faces: list[Callable[[Event], None]]) -> SimulatedCall:
    from voicebot.personas.run import simulate

    with planned.prepared() as agent:
        return simulate(
            agent,
            planned.persona,
            role=planned.role,
            kind=planned.kind,
            channel=planned.case.channel,
            line=planned.line,
            seed=planned.case.seed,
            faces=faces,
            record=folder,
            at=planned.at,
            skip_idle=skip_idle,
        )


def _first(started: list[CallStarted]) -> Callable[[Event], None]:
    def note(event: Event) -> None:
        if isinstance(event, CallStarted):
            started.append(event)

    return note


def _reporting(report: Report | None) -> Callable[[Event], None]:
    def note(event: Event) -> None:
        if report is not None:
            report(event.turn, event.t_ms / 1000)

    return note


def _hashes(planned: Planned, folder: Path, started: list[CallStarted]) -> dict[str, str]:
    """What the call was made of, and what it sounded like. The models are told by their names and the versions of
    what runs them: a model on a disk is named by its content's version already."""
    from voicebot.agent import Agent

    agent = Agent.load(planned.agent)
    models = [f"{one.stt}|{one.tts}|{one.brain}|{sorted(one.versions.items())}" for one in started]
    return {
        "agent": provenance.of_files([planned.agent]),
        "prompt": provenance.of_text(agent.brain.prompt) if agent.brain.prompt else "",
        "tools": provenance.of_files(planned.root.glob("*.py")),
        "persona": provenance.of_text(planned.persona.model_dump_json()),
        "scenario": provenance.of_text(planned.scenario.model_dump_json()),
        "models": provenance.of_text("\n".join(models)),
        "audio": provenance.of_files([folder / "call.wav"]),
    }
