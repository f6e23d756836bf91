"""`voicebot keys`: who may use a server; make, list, replace and revoke API keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from .help import Command, Group
from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from voicebot.server.state import Key, Keys

    from .terminal import Screen

T = TypeVar("T")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST_DAYS = 3660

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""API keys of 'voicebot serve': who may do what. A running server knows of a change within 5 seconds.

    \b
    Examples:
      voicebot keys create ci --scope calls:write --scope calls:read
      voicebot keys list
      voicebot keys rotate ci --overlap 24h
      voicebot keys revoke ci
    """,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is for, as ci or front-desk.")]
Which = Annotated[str, typer.Argument(metavar="KEY", help="Its name, or its id.")]
Database = Annotated[
    str,
    typer.Option(
        "--database", metavar="URL", help="The server's database; default: VOICEBOT_DATABASE, or the project's own."
    ),
]


@app.command(cls=Command)
def create(
    name: Name,
    scope: Annotated[
        list[str], typer.Option("--scope", "-s", metavar="SCOPE", help="What it may do; may be repeated.")
    ] = [],  # noqa: B006 - Typer reads it and copies it
    expires: Annotated[str, typer.Option("--expires", metavar="TIME", help="As 12h, 90d; default: never.")] = "",
    database: Database = "",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Make a key. Its secret is printed on stdout, once: nobody can read it again.

    \b
    Scopes:
      agents:read    list and read agents         calls:read    calls, their events and recordings
      agents:write   change agents                calls:write   create, end, transfer calls, speak in them
      metrics:read   read the metrics             calls:stream  open the audio stream of a call
      phone:read     read telephone numbers       phone:write   buy, point and release them
      server:drain   have the server finish its calls and stop
    \b
    Examples:
      voicebot keys create ci --scope calls:write --scope calls:read --expires 90d
      KEY=$(voicebot keys create load-test --scope calls:stream --quiet)
    """
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    until = _until(expires) if expires else None
    scopes = [each for word in scope for each in word.replace(",", " ").split()]
    key, secret = _with_keys(database, project, lambda keys: keys.create(name, scopes, until))
    _show_secret(screen, key, secret, as_json)


@app.command("list", cls=Command)
def list_(
    database: Database = "",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """All keys, without their secrets; --quiet prints the ids of those that are valid.

    \b
    Example:
      voicebot keys list --json
    """
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    found = _with_keys(database, project, lambda keys: keys.list())
    if as_json:
        screen.json([_facts(key) for key in found])
    elif quiet:
        for key in found:
            if key.valid:
                screen.data(key.id)
    elif not found:
        screen.talk("no keys yet. Make one: voicebot keys create ci --scope calls:read")
    else:
        headers = ["key", "id", "state", "scopes", "created", "expires", "last used"]
        screen.table(headers, [_row(key) for key in found])


@app.command(cls=Command)
def rotate(
    key: Which,
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="TIME", help="How long the old secret stays valid, as 30m, 24h, 0.")
    ] = "24h",
    database: Database = "",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """A new secret of the same name and scopes; the old one stays valid for the overlap, so that no client breaks.

    \b
    Examples:
      voicebot keys rotate ci
      voicebot keys rotate ci --overlap 30m
    """
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    overlap_s = _length(overlap, "--overlap").total_seconds()
    new, secret = _with_keys(database, project, lambda keys: keys.rotate(key, overlap_s))
    _show_secret(screen, new, secret, as_json)
    screen.talk(f"the old secret stays valid for {overlap}." if overlap_s else "the old secret is not valid any more.")


@app.command(cls=Command)
def revoke(
    key: Which,
    database: Database = "",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Refuse a key from now on: this id, or all of this name. Calls that run go on.

    \b
    Examples:
      voicebot keys revoke ci
      voicebot keys revoke k3x9p2m4q7ab
    """
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    revoked = _with_keys(database, project, lambda keys: keys.revoke(key))
    if as_json:
        screen.json([_facts(each) for each in revoked])
        return
    if not revoked:
        screen.talk(f"{key} was revoked already.")
    for each in revoked:
        screen.talk(f"revoked {each.name} ({each.id}); servers refuse it within 5 seconds.")


def _with_keys(database: str, project: Path, use: Callable[[Keys], Awaitable[T]]) -> T:
    """What `use` returns for the keys of this database, which is made or brought up to date first."""
    import asyncio

    from voicebot.server import state
    from voicebot.server.settings import Settings

    settings = Settings(project=_root(project, database), database=database)
    url = state.default_url(settings)

    async def opened() -> T:
        async with await state.State.open(url) as kept:
            return await use(kept.keys)

    state.migrate(url)
    return asyncio.run(opened())


def _root(project: Path, database: str) -> Path:
    """The project whose server it is. No project is needed when the database is named."""
    from voicebot import config, paths
    from voicebot.errors import BadInput
    from voicebot.server.state import DATABASE

    root = paths.project_root(project)
    if not database and not config.key(DATABASE, root) and not paths.agent_files(root):
        raise BadInput(f"{paths.shown(root)} is no project: there are no agents/*.yaml. Use --project or --database.")
    return root


def _length(text: str, option: str) -> timedelta:
    import re
    from datetime import timedelta

    from voicebot.errors import BadInput

    if text == "0":
        return timedelta()
    shaped = re.fullmatch(r"(\d{1,7})([smhdw])", text)
    length = timedelta(**{_UNITS[shaped[2]]: int(shaped[1])}) if shaped else None
    if length is None or length.days > _LONGEST_DAYS:
        raise BadInput(f"{option} '{text}' is no length of time. Write it as 30m, 24h, 90d or 2w, ten years at most.")
    return length


def _until(expires: str) -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC) + _length(expires, "--expires")


def _show_secret(screen: Screen, key: Key, secret: str, as_json: bool) -> None:
    if as_json:
        screen.json(_facts(key) | {"secret": secret})
    else:
        screen.plain(f"{secret}\n")
    until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
    screen.talk(f"the key '{key.name}' ({key.id}) may {', '.join(sorted(key.scopes))} {until}.")
    screen.talk("it is shown only now; clients send it as 'Authorization: Bearer <secret>'.")


def _facts(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state,
        "scopes": sorted(key.scopes),
        "created_at": _iso(key.created_at),
        "expires_at": _iso(key.expires_at),
        "last_used_at": _iso(key.last_used_at),
        "revoked_at": _iso(key.revoked_at),
        "successor": key.successor,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _row(key: Key) -> list[Any]:
    from rich.text import Text

    style = {"active": "good", "replaced": "poor"}.get(key.state, "bad")
    return [
        Text(key.name, "bold"),
        Text(key.id, "dim"),
        Text(key.state, style),
        Text(" ".join(sorted(key.scopes))),
        Text(_day(key.created_at), "dim"),
        Text(_day(key.expires_at)),
        Text(_day(key.last_used_at), "dim"),
    ]


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else "-"
