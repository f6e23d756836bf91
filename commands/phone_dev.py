"""`voicebot phone dev`: a number calls the agent on this machine, while it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from .terminal import Screen


def dev(
    agent: Annotated[str | None, typer.Argument(metavar="AGENT", help="Agent file, or its name.")] = None,
    number: Annotated[str, typer.Option("--number", "-n", metavar="NUMBER", help="Which of yours; the only one.")] = "",
    url: Annotated[str, typer.Option("--url", metavar="URL", help="A tunnel of your own to --port, no ngrok.")] = "",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Default: any that is free.")] = 0,
    emulate: Annotated[bool, typer.Option("--emulate", help="No number: a simulated caller phones, once.")] = False,
    persona: Annotated[
        str | None, typer.Option("--persona", metavar="NAME", help="With --emulate: who phones.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="With --emulate: the caller's dice.")] = 1,
    restore: Annotated[bool, typer.Option("--restore", help="Only give back what a killed one has left.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Call your agent by telephone, on this machine: a server, a tunnel to it, and your number pointed at it.

    Each call is shown as it goes, with where its time went. At the end (Ctrl-C) the number is as it was; should this be
    killed, the next start gives it back. With --emulate no account is needed: a persona of the project calls through
    the same webhooks and Media Streams. --json prints every event as it happens.

    \b
    Examples:
      voicebot phone dev ava --emulate
      voicebot phone dev ava
      voicebot phone dev ava --number +14155550100 --url https://my-tunnel.example.com --port 8080
    """
    from voicebot.agent import find_agent
    from voicebot.errors import BadInput

    from .serve import check_installed
    from .terminal import Screen

    check_installed()
    screen = Screen(quiet=quiet, no_color=no_color)
    if emulate and (number or url or restore):
        raise BadInput("--emulate needs no number: leave out --number, --url and --restore.")
    if persona and not emulate:
        raise BadInput("--persona goes with --emulate: real callers are who they are.")
    if url and not port:
        raise BadInput("--url: where does your tunnel lead? Say it with --port.")
    if restore:
        _restore(screen)
    elif emulate:
        from .phone_emulate import emulated

        emulated(screen, find_agent(agent), persona, seed, port, as_json=as_json)
    else:
        from .phone_lent import lend

        lend(screen, find_agent(agent), number, url, port, as_json=as_json)


def _restore(screen: Screen) -> None:
    import asyncio

    from voicebot import paths
    from voicebot.telephony import pointed
    from voicebot.telephony.account import Account
    from voicebot.telephony.numbers import Numbers

    from . import phone_screen

    root = paths.project_root()
    given = asyncio.run(pointed.give_back(Numbers(Account.of_project(root)), pointed.folder(root)))
    for back in given:
        phone_screen.back(screen, back, late=True)
    if not given:
        screen.talk("nothing was left behind.")
