"""`voicebot new`: a project to start from."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from .options import Json, NoColor, Quiet

_NOTES = {
    "agents/": "what the agent says, and how it hears and speaks",
    "tools.py": "what it can do: Python functions",
    "knowledge/": "what it answers from",
    "data/": "what its tools keep",
    "personas/": "simulated callers",
    "evals/": "what a call must have achieved",
    ".env.example": "keys for cloud providers; none is needed to start",
    ".github/": "the same calls on every push",
}
_NEXT = {
    "voicebot demo": "hear a simulated caller talk to it: no key, no microphone",
    "voicebot talk --text": "be the caller, typing",
}


def new(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The project's folder.")] = None,
    template: Annotated[str, typer.Option("--template", "-t", help="What to start from; see --list.")] = "dental",
    list_: Annotated[bool, typer.Option("--list", help="Show the templates.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of agent files.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Make a project: an agent, its tools and knowledge, simulated callers, checks.

    \b
    Examples:
      voicebot new front-desk
      voicebot new pizzeria --template orders
      voicebot new --list
    """
    from voicebot import project, templates
    from voicebot.agent import agent_schema
    from voicebot.commands.terminal import Screen
    from voicebot.errors import BadInput

    screen = Screen(quiet=quiet, no_color=no_color)
    if schema:
        screen.json(agent_schema())
    elif list_:
        known = templates.summaries()
        screen.json(known) if as_json else screen.table(["template", "what it is"], known.items())
    elif not name:
        raise BadInput("the project needs a name, for example: voicebot new front-desk")
    else:
        folder = Path(name).expanduser()
        files = project.create(folder, template)
        if as_json:
            screen.json({"path": str(folder.absolute()), "template": template, "files": files})
        elif quiet:
            screen.data(str(folder))
        else:
            screen.data("\n".join(_welcome(folder, files)))


def _welcome(folder: Path, files: Iterable[str]) -> Iterator[str]:
    """What lies where, and what to do next."""
    from rich.markup import escape

    entries = {"".join(path.partition("/")[:2]) for path in files}
    yield f"[bold]{escape(str(folder))}/[/]"
    yield from (f"  {entry:<22} [dim]{note}[/]" for entry, note in _NOTES.items() if entry in entries)
    yield "\n[bold]Next[/]"
    yield f"  cd {escape(shlex.quote(str(folder)))}"
    yield from (f"  {command:<22} [dim]{note}[/]" for command, note in _NEXT.items())
