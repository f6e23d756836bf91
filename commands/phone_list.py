"""`voicebot phone numbers list`: the numbers of the account, and who answers them."""

from __future__ import annotations

from pathlib import Path

from .options import Json, NoColor, Project, Quiet
from .phone_account import facts, with_numbers


def list_(project: Project = Path(), as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False) -> None:
    """The numbers of the account, and who answers them; --quiet prints the numbers alone.

    \b
    Example:
      voicebot phone numbers list --json
    """
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    mine = with_numbers(project, lambda numbers: numbers.list())
    if as_json:
        screen.json([facts(number) for number in mine])
    elif quiet:
        for number in mine:
            screen.data(number.number)
    elif not mine:
        screen.talk("no numbers yet. Find one: voicebot phone numbers search")
    else:
        rows = [
            (each.number, each.name, each.answered_by or "nobody", each.pointing.voice_fallback_url) for each in mine
        ]
        screen.table(("number", "name", "answered by", "in need"), rows)
