"""`voicebot eval merge`: the shards of a suite become one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, NoColor, Project, Quiet


def merge(
    run: Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids, or folders of runs from other machines.")],
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Put the parts of a suite together into one run, which can be shown, compared and reported as a whole.

    \b
    Example:
      voicebot eval merge shards/1 shards/2 shards/3
    """
    from voicebot import paths
    from voicebot.evals.kept import merging, runs

    from . import eval_summary
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    whole = merging.merge([runs.find(each, root) for each in run], root)
    if as_json:
        screen.json(eval_summary.facts(whole))
        return
    screen.talk(f"merged {len(run)} runs into {paths.shown(whole.folder)}", "dim")
    eval_summary.show(screen, whole)
