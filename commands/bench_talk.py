"""`voicebot bench talk`: how fast an agent answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import AgentFile, Json, NoColor, Quiet

if TYPE_CHECKING:
    from pathlib import Path

    from voicebot.evals.bench.talking import Pace

TARGETS = {"greeting, first audio": 150.0, "voice to voice": 1000.0, "of it: the engine": 30.0}
"""What p95 should stay below, in milliseconds."""


def talk(
    template: Annotated[str, typer.Option(help="Whose agent and callers, outside of a project.")] = "dental",
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=1, max=100, help="Calls of each caller.")] = 1,
    fast: Annotated[bool, typer.Option("--fast", help="Skip the time in which everybody only waits.")] = False,
    agent: AgentFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """How fast an agent answers its simulated callers, one call at a time.

    Voice to voice is counted from the end of the caller's last word to the agent's first sound. In a project its own
    agent and callers are measured, with whatever providers it names.

    \b
    Examples:
      voicebot bench talk --fast
      voicebot bench talk --agent ava --runs 5 --json
    """
    from tempfile import TemporaryDirectory

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    with TemporaryDirectory() as folder, screen.waiting("simulated callers are talking to the agent ..."):
        pace = _measured(_agent_file(agent, template, folder), runs, skip_idle=fast)
    rows = [(what, found) for what, found in pace.rows() if found]
    if as_json:
        screen.json({what: {"n": p.n, "p50_ms": p.p50, "p95_ms": p.p95, "worst_ms": p.worst} for what, p in rows})
        return
    headers = ("latency", "n", "p50", "p95", "worst", "target for p95")
    cells = [
        (what, str(p.n), f"{p.p50:.0f} ms", f"{p.p95:.0f} ms", f"{p.worst:.0f} ms", _target(what)) for what, p in rows
    ]
    screen.table(headers, cells, right=headers[1:])
    screen.talk(f"{pace.answered} of {len(pace.turns)} turns were answered", "dim")


def _target(what: str) -> str:
    return f"< {TARGETS[what]:.0f} ms" if what in TARGETS else ""


def _agent_file(agent: str | None, template: str, folder: str) -> Path:
    from pathlib import Path

    from voicebot import paths, project
    from voicebot.agent import find_agent

    if agent or paths.agent_files(paths.project_root()):
        return find_agent(agent)
    root = Path(folder) / template
    project.create(root, template)
    return paths.agent_files(root)[0]


def _measured(path: Path, runs: int, *, skip_idle: bool) -> Pace:
    from voicebot import paths
    from voicebot.evals.bench.talking import Pace
    from voicebot.events import Event
    from voicebot.personas.persona import Persona
    from voicebot.personas.run import simulate

    pace = Pace()
    for file in paths.yaml_files(paths.personas_dir(paths.root_of(path))):
        for seed in range(1, runs + 1):
            events: list[Event] = []
            simulate(path, Persona.load(file), seed=seed, skip_idle=skip_idle, faces=[events.append])
            pace.add(events)
    return pace
