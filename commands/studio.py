"""`voicebot studio`: see, hear and fix an agent without leaving the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def studio(
    project: Annotated[Path, typer.Argument(metavar="[PROJECT]", help="The project's folder.")] = Path("."),
    light: Annotated[bool, typer.Option("--light", help="Begin with the light theme; ctrl+t switches.")] = False,
    page: Annotated[
        str | None, typer.Option("--page", metavar="NAME", help="Open this page first: agents, talk, calls ...")
    ] = None,
) -> None:
    """Agents, talks, calls, tests and servers on one screen.

    Write an agent and see at once what is wrong with it, talk to it, watch where the time goes, replay recorded calls
    and make tests of them. Keys 1 to 7 open the pages, F1 explains the one in front, ctrl+p finds everything.

    \b
    Examples:
      voicebot studio
      voicebot studio front-desk --page talk
      voicebot studio --light
    """
    import sys

    from voicebot import paths
    from voicebot.errors import BadInput, did_you_mean
    from voicebot.studio.app import Studio
    from voicebot.studio.screens import available

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("the studio needs a terminal. In a pipe: voicebot talk --text, voicebot calls list.")
    if not project.is_dir():
        raise BadInput(f"{project}: no such folder. Name a project, or make one: voicebot new NAME")
    pages = [entry.mode for entry in available()]
    if page is not None and page.lower() not in pages:
        raise BadInput(f"the studio has no page '{page}'.{did_you_mean(page, pages)}")
    Studio(paths.project_root(project), light=light, first=(page or "").lower()).run()
