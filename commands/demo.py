"""`voicebot demo`: a simulated caller telephones an agent, through the whole engine, in this terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.errors import EXIT_FAILED

from .options import AgentFile, Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.personas.persona import Persona

    from .demo_calls import Run
    from .terminal import Screen


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
    from . import demo_calls
    from . import demo_report as report
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = _project(screen, template, out)
    path = demo_calls.agent_file(root, agent)
    callers = demo_calls.callers(root, persona)
    if runs == 1:
        run = _one(screen, path, callers[0], seed, skip_idle=fast, silent=as_json)
        demo_calls.keep(root, run)
        report.one(screen, root, run, as_json=as_json)
        passed = run.outcome == "reached"
    else:
        many = _many(screen, path, [(callers[n % len(callers)], seed + n) for n in range(runs)], silent=as_json)
        report.many(screen, many, as_json=as_json)
        passed = demo_calls.passed(many)
    if not passed:
        raise typer.Exit(EXIT_FAILED)


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


def _one(screen: Screen, path: Path, persona: Persona, seed: int, *, skip_idle: bool, silent: bool) -> Run:
    """One call, watched."""
    from . import demo_calls
    from .live import LiveTranscript

    if silent or screen.quiet:
        return demo_calls.call(path, persona, seed, skip_idle=skip_idle)
    if not skip_idle:
        screen.talk("in real time; --fast skips the waiting, Ctrl-C ends the call", "dim")
    with LiveTranscript(screen) as watched:
        return demo_calls.call(path, persona, seed, skip_idle=skip_idle, faces=[watched])


def _many(screen: Screen, path: Path, pairs: list[tuple[Persona, int]], *, silent: bool) -> list[Run]:
    """Call after call, with a progress bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from . import demo_calls

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = silent or screen.quiet or not screen.err.is_terminal
    with Progress(*columns, console=screen.err, transient=True, disable=hidden) as progress:
        task = progress.add_task("calling", total=len(pairs))
        done = []
        for persona, seed in pairs:
            progress.update(task, description=f"{persona.name} (seed {seed})")
            done.append(demo_calls.call(path, persona, seed, skip_idle=True))
            progress.advance(task)
        return done
