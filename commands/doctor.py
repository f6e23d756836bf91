"""`voicebot doctor`: what runs here and now, tried for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def doctor(as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """Try everything a call needs, and say what is missing.

    A word is spoken, found and heard back; keys are looked for and never shown. --quiet prints only what is missing or
    broken. Exit code 3 when something needed does not work.

    \b
    Examples:
      voicebot doctor
      voicebot doctor --json
    """
    from dataclasses import asdict

    from voicebot.errors import EXIT_UNAVAILABLE

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    with screen.waiting("trying everything ..."):
        checks = _checks()
    if as_json:
        screen.json([asdict(check) for check in checks])
    else:
        for section, title in SECTIONS.items():
            _show(screen, title, [check for check in checks if check.section == section])
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(EXIT_UNAVAILABLE)


def _checks() -> list[Check]:
    from voicebot import clock, paths

    from . import checkup, local_models

    project = paths.project_root()
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
