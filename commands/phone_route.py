"""`voicebot phone route`: who takes a call, and which rule of phone.yaml says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    from datetime import datetime

    from voicebot.telephony.phonebook import Phonebook
    from voicebot.telephony.routing import Route

    from .terminal import Screen


def route(
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Which of your numbers is called.")],
    caller: Annotated[str, typer.Option("--from", metavar="NUMBER", help="Who calls; default: a hidden number.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="As '2026-12-24 18:30'; default: now.")] = "",
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="What ?language= would say.")] = "",
    load: Annotated[
        list[str], typer.Option("--load", metavar="AGENT=N", help="An agent has N calls; may be repeated.")
    ] = [],  # noqa: B006 - Typer reads it and copies it
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Who takes a call, and why: what phone.yaml decides for this number, this caller and this moment.

    --at is in the file's time zone, unless it has one of its own. --quiet prints only who takes it.

    \b
    Examples:
      voicebot phone route --to +12025550100
      voicebot phone route --to +12025550100 --from +4930123456 --at "2026-12-24 18:30"
      voicebot phone route --to +12025550100 --load ava=20
    """
    from voicebot import paths
    from voicebot.telephony.routing import Asked, choose

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    book = _book(root)
    asked = Asked(_number(to), _number(caller) if caller else "", {"language": language} if language else {})
    moment = _moment(at, book)
    chosen = choose(book, asked, moment, _loads(load))
    if as_json:
        screen.json(_facts(chosen, moment))
    elif quiet:
        screen.data(chosen.target or chosen.kind)
    else:
        _show(screen, chosen, asked.to, moment)


def _book(root: Path) -> Phonebook:
    from voicebot import paths
    from voicebot.errors import BadInput
    from voicebot.telephony.phonebook import FILE, Phonebook

    if book := Phonebook.load(root):
        return book
    raise BadInput(f"there is no {paths.shown(root / FILE)}. What stands in it: docs/routing.md")


def _number(text: str) -> str:
    from voicebot.telephony.e164 import e164

    return e164(text)


def _moment(text: str, book: Phonebook) -> datetime:
    from datetime import datetime

    from voicebot.errors import BadInput

    if not text:
        return datetime.now(book.zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"--at: '{text}' is no time. Write it as '2026-12-24 18:30'.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=book.zone)


def _loads(pairs: list[str]) -> dict[str, int]:
    from voicebot.errors import BadInput

    loads = {}
    for pair in pairs:
        agent, _, count = pair.partition("=")
        if not agent or not count.isdigit():
            raise BadInput(f"--load: '{pair}' is not an agent and its calls. Write it as ava=20.")
        loads[agent] = int(count)
    return loads


def _facts(chosen: Route, moment: datetime) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(chosen), "at": moment.isoformat()}


def _show(screen: Screen, chosen: Route, to: str, moment: datetime) -> None:
    from rich.text import Text

    for tried in chosen.tried:
        style = "good" if tried.holds else "dim"
        screen.data(Text.assemble(("yes  " if tried.holds else "no   ", style), f"{tried.rule}: {tried.because}"))
    who = {"nobody": "nobody: the caller is told so", "voicemail": f"voicemail: {chosen.target}"}
    target = who.get(chosen.kind, f"{chosen.kind} {chosen.target}")
    by = f", by '{chosen.rule}'" if chosen.rule else ""
    screen.data(Text.assemble(f"{to} at {moment:%a %Y-%m-%d %H:%M %Z}: ", (target, "bold"), by))
    if not chosen.tried or chosen.rule in ("", "otherwise"):
        screen.talk(f"{chosen.because}.", "dim")
