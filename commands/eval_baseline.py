"""`voicebot eval baseline`: the results that later runs are held against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .help import Command, Group
from .options import Json, NoColor, Project, Quiet

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""What later runs are held against: a small file to commit with the agent.

    \b
    Examples:
      voicebot eval baseline set last
      voicebot eval baseline show
    """,
)

Suite = Annotated[str, typer.Argument(metavar="SUITE", help="Whose baseline.")]


@app.command("set", cls=Command)
def set_(
    run: Annotated[str, typer.Argument(metavar="RUN", help="'last', an id or its beginning, or a folder.")] = "last",
    project: Project = Path(),
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Make a run the baseline of its suite: evals/baselines/SUITE.jsonl, without its audio.

    \b
    Example:
      voicebot eval baseline set last
    """
    from voicebot import paths
    from voicebot.evals.kept import baselines, runs

    from .terminal import Screen

    root = paths.project_root(project)
    path = baselines.set_(runs.find(run, root), root)
    screen = Screen(quiet=quiet, no_color=no_color)
    screen.data(paths.shown(path))
    screen.talk("commit it; then: voicebot eval run --compare baseline", "dim")


@app.command("show", cls=Command)
def show(project: Project = Path(), as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """The baselines of this project.

    \b
    Example:
      voicebot eval baseline show
    """
    from rich.text import Text

    from voicebot import paths
    from voicebot.evals.kept import baselines

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    facts = [
        {
            "suite": each.meta.suite,
            "run": each.id,
            "started_at": each.meta.started_at,
            "commit": each.meta.commit.sha if each.meta.commit else "",
            "calls": len(each.final()),
            "passed": sum(result.verdict == "passed" for result in each.final()),
        }
        for each in baselines.every(paths.project_root(project))
    ]
    if as_json:
        screen.json(facts)
    elif facts:
        rows = [[Text(str(value)[:40]) for value in each.values()] for each in facts]
        screen.table([*facts[0]], rows, right=("calls", "passed"))
    else:
        screen.talk("no baseline yet. Make one of a good run: voicebot eval baseline set last")


@app.command("rm", cls=Command)
def rm(suite: Suite, project: Project = Path(), quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Remove the baseline of a suite.

    \b
    Example:
      voicebot eval baseline rm ci
    """
    from voicebot import paths
    from voicebot.evals.kept import baselines

    from .terminal import Screen

    path = baselines.remove(paths.project_root(project), suite)
    Screen(quiet=quiet, no_color=no_color).talk(f"removed {paths.shown(path)}")
