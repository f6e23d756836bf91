"""The calls of `voicebot demo`: who calls whom, on what data, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicebot import paths
from voicebot.errors import BadInput, did_you_mean
from voicebot.evals.outcome import Outcome, outcome
from voicebot.events import Event
from voicebot.latency import Waterfall, waterfalls
from voicebot.personas import persona as personas
from voicebot.personas.persona import Persona

from . import demo_project
from .demo_matter import matter, planned

if TYPE_CHECKING:
    from voicebot.evals.suite import Planned
    from voicebot.personas.run import SimulatedCall

MUST_REACH = 0.95
"""Share of calls that must end as the caller wanted for a run of many to pass; none may end wrong."""
EVERYBODY = "all"


@dataclass
class Run:
    """One call of the demo and what it left behind."""

    call: SimulatedCall
    events: list[Event]
    outcome: Outcome = "reached"
    problems: list[str] = field(default_factory=list)
    """What is not as it should be, one sentence each; for an invalid run, what broke."""
    data: dict[str, Any] = field(default_factory=dict)
    """Data files that the agent's tools changed, as they were after the call."""
    records: dict[str, list[Any]] = field(default_factory=dict)
    """Data file -> the records in it that were not there before."""

    @property
    def waterfalls(self) -> list[Waterfall]:
        return waterfalls(self.events)


def agent_file(root: Path, wanted: str | None) -> Path:
    """The agent that is called: the one asked for, or the only one. Raises BadInput."""
    files = {path.stem: path for path in paths.agent_files(root)}
    if wanted is None and len(files) == 1:
        return next(iter(files.values()))
    if wanted is None:
        raise BadInput(f"{paths.shown(root)} has several agents: add --agent with one of {', '.join(sorted(files))}")
    if Path(wanted).is_file():
        return Path(wanted)
    if wanted not in files:
        raise BadInput(f"no agent '{wanted}' in {paths.shown(root / paths.AGENTS)}.{did_you_mean(wanted, files)}")
    return files[wanted]


def callers(root: Path, wanted: str | None) -> list[Persona]:
    """Who calls: the one asked for, all, or the plainest of the project. Raises BadInput."""
    if wanted is not None and wanted != EVERYBODY:
        return [personas.find(wanted, root)]
    folder = paths.personas_dir(root)
    everybody = [personas.Persona.load(path) for path in paths.yaml_files(folder)]
    if not everybody:
        raise BadInput(f"{paths.shown(folder)} has no simulated caller. voicebot new --list shows templates with some.")
    return everybody if wanted == EVERYBODY else [min(everybody, key=_manners)]


def _manners(persona: Persona) -> int:
    """How many habits make this caller hard."""
    manners = persona.temperament
    return sum(habit is not None for habit in (manners.interrupts, manners.corrects, manners.wants_human))


def call(
    path: Path, persona: Persona, seed: int, *, skip_idle: bool, faces: Sequence[Callable[[Event], None]] = ()
) -> Run:
    """A call on a copy of the project, judged by the scenario that fits; its record stays in the project's calls/."""
    from voicebot.personas.run import simulate  # the engine, which takes seconds: a wrong name is told before

    root = paths.root_of(path)
    events: list[Event] = []
    scenario = matter(path, persona)
    job = planned(scenario, persona, root, seed) if scenario else None
    with job.prepared() if job else nullcontext(path) as agent:
        simulated = simulate(
            agent,
            persona,
            role=job.role if job else None,
            kind=job.kind if job else None,
            channel=job.case.channel if job else "audio",
            line=job.line if job else None,
            seed=seed,
            at=job.at if job else None,
            skip_idle=skip_idle,
            faces=[events.append, *faces],
            calls_dir=paths.calls_dir(root),
        )
    ending, problems = _judged(job, simulated) if job else believed(persona, simulated)
    before, after = _of_data(simulated.before), _of_data(simulated.after)
    changed = {name: content for name, content in after.items() if content != before.get(name)}
    records = {name: _new(before.get(name), content) for name, content in changed.items()}
    return Run(simulated, events, ending, problems, changed, records)


def _of_data(stores: Mapping[str, Any]) -> dict[str, Any]:
    """By the names that the files have in the data folder."""
    return {name.removeprefix(f"{paths.DATA}/"): content for name, content in stores.items()}


def _judged(job: Planned, simulated: SimulatedCall) -> tuple[Outcome, list[str]]:
    """What the scenario's checks find."""
    from voicebot.evals.running import cell
    from voicebot.evals.trial import Trial

    trial = Trial.of(job.case, simulated)
    result = cell.judged(job, trial)
    problems = [result.broke] if result.broke else [finding.says for finding in result.failed]
    return outcome(trial, result), problems


def believed(persona: Persona, simulated: SimulatedCall) -> tuple[Outcome, list[str]]:
    """What the caller makes of it, where no scenario is about them."""
    if simulated.broke:
        return "invalid", [simulated.broke]
    if simulated.ended is not None and simulated.ended.reason == "failed":
        return "failed", [f"the call broke down: {simulated.ended.detail}"]
    if persona.temperament.wants_human:
        return ("reached", []) if simulated.handed_over else ("failed", ["the caller was not passed on to a person"])
    if simulated.content:
        return "reached", []
    return "handed_over" if simulated.handed_over else "failed", ["the caller did not get what they wanted"]


def _new(before: Any, after: Any) -> list[Any]:
    """The records of a JSON list that were not there before; nothing for any other file."""
    old = before if isinstance(before, list) else []
    return [record for record in after if record not in old] if isinstance(after, list) else []


def keep(root: Path, run: Run) -> None:
    """The demo's own project keeps what the call wrote, to be looked at; a user's project is left as it was."""
    if demo_project.is_ours(root):
        files = {name: (json.dumps(content, indent=2) + "\n").encode() for name, content in run.data.items()}
        demo_project.keep_data(root, files)


def passed(runs: Sequence[Run]) -> bool:
    """Whether a demo of many calls is good: none wrong, nearly all reached, broken ones not counted."""
    judged = [run.outcome for run in runs if run.outcome != "invalid"]
    return bool(judged) and "wrong" not in judged and judged.count("reached") >= MUST_REACH * len(judged)
