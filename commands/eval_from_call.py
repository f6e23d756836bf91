"""`voicebot eval from-call`: a recorded call becomes a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import NoColor, Project, Quiet


def from_call(
    call: Annotated[str, typer.Argument(metavar="CALL", help="'last', an id or its beginning, or a call's folder.")],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What the scenario is called.")] = None,
    project: Project = Path(),
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Turn a recorded call into a scenario that replays its caller, with what is private taken out.

    \b
    Example:
      voicebot eval from-call last --name wrong-date
    """
    from voicebot import paths
    from voicebot.evals import from_call as making
    from voicebot.evals.kept import runs
    from voicebot.store import calls

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    record = calls.find(call, root)
    name = name or f"call-{runs.safe(record.folder.name)}"
    written = making.make(record.folder, root, name)
    for path in written:
        screen.data(paths.shown(path))
    screen.talk(f"read its checks before you trust it; then: voicebot eval run -k {name}", "dim")
