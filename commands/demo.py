"""`voicebot demo`: a simulated caller telephones an agent, through the whole engine, in this terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AgentFile, Json, NoColor, Quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voicebot.events import Event
    from voicebot.latency import Waterfall
    from voicebot.personas.persona import Persona
    from voicebot.personas.run import SimulatedCall

    from .terminal import Screen

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
        from voicebot.latency import waterfalls

        return waterfalls(self.events)


def demo(
    template: Annotated[str | None, typer.Option("--template", "-t", metavar="NAME", help="What is shown.")] = None,
    persona: Annotated[str | None, typer.Option("--persona", metavar="NAME", help="The caller, or 'all'.")] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="The caller's dice; the same seed, the same caller.")
    ] = 1,
    fast: Annotated[bool, typer.Option("--fast", help="Skip the time in which everybody only waits.")] = False,
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", min=1, help="So many calls, fast, with one seed after another.")
    ] = 1,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where the demo's project goes.")] = None,
    agent: AgentFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """A simulated caller telephones an agent, here and now.

    All by sound and through the whole engine, with no key and no network.

    In a project it calls the project's own agent (on a copy of its data); elsewhere it makes one in ./voicebot-demo.

    \b
    Examples:
      voicebot demo
      voicebot demo --fast --persona interrupter --seed 7
      voicebot demo --runs 20 --persona all
    """
    from . import demo_report as report
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = _project(screen, template, out)
    path = _agent(root, agent)
    callers = _callers(root, persona)
    if runs == 1:
        run = _one(screen, path, callers[0], seed, skip_idle=fast, silent=as_json)
        _keep(root, run)
        report.one(screen, root, run, as_json=as_json)
        passed = run.call.outcome == "reached"
    else:
        many = _many(screen, path, [(callers[n % len(callers)], seed + n) for n in range(runs)], silent=as_json)
        report.many(screen, many, as_json=as_json)
        passed = _passed(many)
    if not passed:
        raise typer.Exit(1)


def _project(screen: Screen, template: str | None, out: Path | None) -> Path:
    """The project around the current folder, or the demo's own, made now. Raises BadInput."""
    from voicebot import paths

    from . import demo_project

    here = paths.project_root()
    if template is None and out is None and paths.agent_files(here):
        if demo_project.is_ours(here):
            demo_project.prepare(here, demo_project.template_of(here))
        return here
    template = template or demo_project.DEFAULT
    folder = out or demo_project.folder_for(template)
    known = folder.exists()
    demo_project.prepare(folder, template)
    screen.talk(f"{'using' if known else 'made'} {paths.shown(folder)}/ (template {template})", "dim")
    return folder


def _agent(root: Path, wanted: str | None) -> Path:
    from voicebot import paths
    from voicebot.errors import BadInput, did_you_mean

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


def _callers(root: Path, wanted: str | None) -> list[Persona]:
    """Who calls: the one asked for, all, or the plainest of the project. Raises BadInput."""
    from voicebot import paths
    from voicebot.errors import BadInput
    from voicebot.personas import persona as personas

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


def _one(screen: Screen, path: Path, persona: Persona, seed: int, *, skip_idle: bool, silent: bool) -> Run:
    """One call, watched."""
    from .live import LiveTranscript

    if not skip_idle and not silent:
        screen.talk("in real time; --fast skips the waiting, Ctrl-C ends the call", "dim")
    watched = LiveTranscript(screen)
    with watched:
        return _call(path, persona, seed, skip_idle=skip_idle, faces=[] if silent or screen.quiet else [watched])


def _many(screen: Screen, path: Path, pairs: list[tuple[Persona, int]], *, silent: bool) -> list[Run]:
    """Call after call, with a progress bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = silent or screen.quiet or not screen.err.is_terminal
    with Progress(*columns, console=screen.err, transient=True, disable=hidden) as progress:
        task = progress.add_task("calling", total=len(pairs))
        done = []
        for persona, seed in pairs:
            progress.update(task, description=f"{persona.name} (seed {seed})")
            done.append(_call(path, persona, seed, skip_idle=True, faces=[]))
            progress.advance(task)
        return done


def _call(path: Path, persona: Persona, seed: int, *, skip_idle: bool, faces: list[Callable[[Event], None]]) -> Run:
    """A call on a copy of the project, judged by the project's scenarios; its record stays in the project's calls/."""
    from voicebot import paths
    from voicebot.evals import judge as judges
    from voicebot.personas import sandbox
    from voicebot.personas.run import simulate

    root = paths.root_of(path)
    before = sandbox.snapshot(root)
    events: list[Event] = []
    after: dict[str, bytes] = {}
    scenarios = judges.find(path, persona)

    def judge(copy: Path, facts: Mapping[str, str], ended: str) -> list[str]:
        after.update(sandbox.snapshot(copy))
        return scenarios(copy, facts, ended) if scenarios else []

    call = simulate(
        path,
        persona,
        seed=seed,
        skip_idle=skip_idle,
        faces=[events.append, *faces],
        calls_dir=paths.calls_dir(root),
        judge=judge if scenarios else None,
    )
    changed = {name: content for name, content in after.items() if content != before.get(name)}
    return Run(call, events, changed, {name: _new(before.get(name), content) for name, content in changed.items()})


def _new(before: bytes | None, after: bytes) -> list[Any]:
    """The records of a JSON list that were not there before; nothing for any other file."""
    import json

    try:
        old, new = json.loads(before or b"[]"), json.loads(after)
    except ValueError:
        return []
    return [record for record in new if record not in old] if isinstance(new, list) else []


def _keep(root: Path, run: Run) -> None:
    """The demo's own project keeps what the call wrote, to be looked at; a user's project is left as it was."""
    from . import demo_project

    if demo_project.is_ours(root):
        demo_project.keep_data(root, run.data)


def _passed(runs: list[Run]) -> bool:
    judged = [run.call.outcome for run in runs if run.call.outcome != "invalid"]
    return bool(judged) and "wrong" not in judged and judged.count("reached") >= MUST_REACH * len(judged)
