"""`voicebot doctor`: what runs here and now, tried for real."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from .checkup import Check
    from .terminal import Screen

SECTIONS = {
    "python": "Python and packages",
    "engine": "Speech, tried just now",
    "models": "Language models on this machine, tried just now",
    "providers": "Providers",
    "extras": "Optional parts",
    "sound": "Sound card",
    "agents": "Agents of this project",
}


def doctor(
    project: Annotated[Path | None, typer.Argument(metavar="PROJECT", help="Its folder.", show_default=False)] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the providers again and again.")] = False,
    every: Annotated[
        float | None, typer.Option("--every", metavar="S", min=0.5, help="Seconds between two tries of --live; 5.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="S", min=1.0, help="End --live after so many seconds.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Try everything a call needs, and say what is missing.

    A word is spoken, found and heard back; keys are looked for and never shown. --quiet prints only what is missing or
    broken. --live asks the providers that the project's agents name for a word each, for real, until Ctrl-C: how long
    they take, how often they fail, and whether calls would pass them over. Exit code 3 when something needed does not
    work, with --live when a provider never answered.

    \b
    Examples:
      voicebot doctor
      voicebot doctor --json
      voicebot doctor --live
      voicebot doctor --live ./front-desk --every 2 --for 60 --json
    """
    from dataclasses import asdict

    from voicebot import paths
    from voicebot.errors import EXIT_UNAVAILABLE, BadInput

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    if live:
        from .doctor_live import watch

        if not watch(root, screen, every_s=every or 5.0, for_s=seconds, as_json=as_json):
            raise typer.Exit(EXIT_UNAVAILABLE)
        return
    if every or seconds:
        raise BadInput("--every and --for are about --live: voicebot doctor --live --for 60")
    with screen.waiting("trying everything ..."):
        checks = _checks(root)
    if as_json:
        screen.json([asdict(check) for check in checks])
    else:
        for section, title in SECTIONS.items():
            _show(screen, title, [check for check in checks if check.section == section])
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(EXIT_UNAVAILABLE)


def _checks(project: Path) -> list[Check]:
    from voicebot import clock

    from . import checkup, local_models

    tried = [*clock.run(checkup.engine()), *clock.run(local_models.speeds(project))]
    looked_up = [*checkup.available(project), *checkup.extras(), *checkup.sound(), *checkup.agents(project)]
    return [*checkup.packages(), *tried, *looked_up]


def _show(screen: Screen, title: str, checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": ("✓", "good"), "absent": ("-", "dim"), "broken": ("✗", "bad")}
    checks = [check for check in checks if not screen.quiet or check.state != "ok"]
    if not checks:
        return
    screen.data(Text(title, "bold"))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=3, justify="right")
    grid.add_column(min_width=16, no_wrap=True)
    grid.add_column(overflow="fold")
    for check in checks:
        mark, style = marks[check.state]
        detail = Text(check.detail, "bad" if check.state == "broken" else "dim" if check.state == "absent" else "")
        if check.remedy:
            detail = Text.assemble(detail, ("  -> ", "dim"), check.remedy)
        if screen.out.is_terminal:
            grid.add_row(Text(mark, style), check.name, detail)
        else:
            screen.data(Text(f"  {mark} {check.name:<16} ").append_text(detail))
    if screen.out.is_terminal:
        screen.data(grid)
    screen.data()
