"""`voicebot eval report`: a run as one HTML file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .eval_options import Against, OneRun
from .options import NoColor, Project, Quiet


class Audio(StrEnum):
    all = "all"
    failed = "failed"
    none = "none"


def report(
    run: OneRun = "last",
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where it goes.")] = None,
    compare: Against = None,
    audio: Annotated[Audio, typer.Option("--audio", help="Which calls can be heard.")] = Audio.failed,
    project: Project = Path(),
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Write a run as one HTML file: what failed, where in the call, to be heard and read along.

    \b
    Examples:
      voicebot eval report
      voicebot eval report last --compare baseline -o report.html
    """
    from voicebot import paths
    from voicebot.evals import report as reports
    from voicebot.evals.kept import baselines, runs

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    found = runs.find(run, root)
    other = baselines.side(compare, root, found.meta.suite) if compare else None
    path = reports.write(found, out or found.folder / "report.html", other, audio=audio.value)
    screen.data(paths.shown(path))
