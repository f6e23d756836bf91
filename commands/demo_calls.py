"""The calls of `voicebot demo`: who calls whom, on what data, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicebot import paths
from voicebot.errors import BadInput, did_you_mean
from voicebot.evals import judge as judges
from voicebot.events import Event
from voicebot.latency import Waterfall, waterfalls
from voicebot.personas import persona as personas
from voicebot.personas import sandbox
from voicebot.personas.persona import Persona

from . import demo_project

if TYPE_CHECKING:
    from voicebot.personas.run import SimulatedCall

MUST_REACH = 0.95
"""Share of calls that must end as the caller wanted for a run of many to pass; none may end wrong."""
EVERYBODY = "all"


@dataclass
class Run:
    """One call of the demo and what it left behind."""

    call: SimulatedCall
    events: list[Event]
    data: dict[str, bytes] = field(default_factory=dict)
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
    """A call on a copy of the project, judged by the project's scenarios; its record stays in the project's calls/."""
    from voicebot.personas.run import simulate  # the engine, which takes seconds: a wrong name is told before

    root = paths.root_of(path)
    before = sandbox.snapshot(root)
    events: list[Event] = []
    after: dict[str, bytes] = {}
    scenarios = judges.find(path, persona)

    def judge(copy: Path, facts: Mapping[str, str], ended: str) -> list[str]:
        after.update(sandbox.snapshot(copy))
        return scenarios(copy, facts, ended) if scenarios else []

    simulated = simulate(
        path,
        persona,
        seed=seed,
        skip_idle=skip_idle,
        faces=[events.append, *faces],
        calls_dir=paths.calls_dir(root),
        judge=judge if scenarios else None,
    )
    changed = {name: content for name, content in after.items() if content != before.get(name)}
    records = {name: _new(before.get(name), content) for name, content in changed.items()}
    return Run(simulated, events, changed, records)


def _new(before: bytes | None, after: bytes) -> list[Any]:
    """The records of a JSON list that were not there before; nothing for any other file."""
    try:
        old, new = json.loads(before or b"[]"), json.loads(after)
    except ValueError:
        return []
    return [record for record in new if record not in old] if isinstance(new, list) else []


def keep(root: Path, run: Run) -> None:
    """The demo's own project keeps what the call wrote, to be looked at; a user's project is left as it was."""
    if demo_project.is_ours(root):
        demo_project.keep_data(root, run.data)


def passed(runs: Sequence[Run]) -> bool:
    """Whether a demo of many calls is good: none wrong, nearly all reached, broken ones not counted."""
    judged = [run.call.outcome for run in runs if run.call.outcome != "invalid"]
    return bool(judged) and "wrong" not in judged and judged.count("reached") >= MUST_REACH * len(judged)
