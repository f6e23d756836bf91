"""The server that makes calls for `phone call` and `phone batch`: one that runs, or one of the command's own."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .terminal import Screen

if TYPE_CHECKING:
    from voicebot.server.settings import Settings
    from voicebot.telephony.batch.rest import Rest

KEY = "VOICEBOT_API_KEY"
_VALID_DAYS = 30

Server = Annotated[
    str,
    typer.Option(
        "--server", metavar="URL", envvar="VOICEBOT_SERVER", show_envvar=False, help="One that runs; else its own."
    ),
]
Url = Annotated[
    str, typer.Option("--url", metavar="URL", help="Without --server: a tunnel of your own to --port, no ngrok.")
]
Port = Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Default: any that is free.")]
From = Annotated[str, typer.Option("--from", metavar="NUMBER", help="What they see; the first in phone.yaml.")]


def check(server: str, url: str, port: int) -> None:
    """Raises BadInput for options that do not go together."""
    from voicebot.errors import BadInput

    for option, address in (("--server", server), ("--url", url)):
        if address and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", address):
            raise BadInput(f"{option}: '{address}' is no web address. Write it as https://voice.example.com.")
    if server and (url or port):
        raise BadInput("--server has its own address: leave out --url and --port.")
    if url and not port:
        raise BadInput("--url: where does your tunnel lead? Say it with --port.")


@asynccontextmanager
async def making(
    screen: Screen, root: Path, server: str, url: str, port: int, watch: Callable[[Any], Sequence[Any]]
) -> AsyncIterator[Rest]:
    """Whoever makes the calls. `watch` is told of each call of a server of our own. Raises BadInput, Unavailable."""
    from voicebot import config
    from voicebot.errors import BadInput
    from voicebot.telephony.batch.rest import Rest

    if server:
        key = config.key(KEY, root)
        if key is None:
            raise BadInput(f"set {KEY} to a key of {server}: voicebot keys create NAME --scope calls:write,calls:read")
        async with Rest(server, key) as rest:
            yield rest
        return
    _check_phonebook(root)
    async with AsyncExitStack() as stack:
        with screen.waiting("getting ready ..."):
            rest, watched = await _own(screen, stack, root, url, port, watch)
        async with watched:
            yield rest


def _check_phonebook(root: Path) -> None:
    """Raises BadInput when no calls can go out, before anything is started."""
    from voicebot import paths
    from voicebot.errors import BadInput
    from voicebot.telephony.account import Account
    from voicebot.telephony.phonebook import FILE, Phonebook

    book = Phonebook.load(root)
    if book is None or book.outbound is None:
        where = paths.shown(root / FILE)
        raise BadInput(
            f"{where} has no 'outbound', with the number that calls come from. Write: outbound: {{from: +1...}}"
        )
    Account.of_project(root)


async def _own(
    screen: Screen, stack: AsyncExitStack, root: Path, url: str, port: int, watch: Callable[[Any], Sequence[Any]]
) -> tuple[Rest, AbstractAsyncContextManager[None]]:
    """Who makes the calls, and the watch over their way in."""
    from voicebot.server.processes import alone, slot
    from voicebot.server.processes.doorway import listen
    from voicebot.server.processes.serving import parts_named
    from voicebot.server.settings import Settings

    from . import phone_tunnel

    listening = listen("127.0.0.1", port)
    stack.callback(listening.close)
    at = listening.getsockname()[1]
    way = await stack.enter_async_context(phone_tunnel.way(url, at, root))
    settings: Settings = Settings(project=root, port=at, public_url=way.url)
    settings = await stack.enter_async_context(slot.named(settings))
    parts = parts_named(os.environ.get("VOICEBOT_PARTS", ""))
    site = await stack.enter_async_context(alone.serving(settings, listening, watch, parts))
    rest = await stack.enter_async_context(_with_key(site.state, f"http://127.0.0.1:{at}"))
    return rest, phone_tunnel.watched(screen, way, site.address)


@asynccontextmanager
async def _with_key(state: Any, url: str) -> AsyncIterator[Rest]:
    """With a key that is good for as long as the command runs."""
    from pydantic import SecretStr

    from voicebot.errors import Unavailable
    from voicebot.telephony.batch.rest import Rest

    until = datetime.now(UTC) + timedelta(days=_VALID_DAYS)
    name = f"command-{os.getpid()}-{datetime.now():%H%M%S%f}"
    key, secret = await state.keys.create(name, ["calls:read", "calls:write"], until)
    try:
        async with Rest(url, SecretStr(secret)) as rest:
            yield rest
    finally:
        with suppress(Unavailable):  # it expires by itself, and nobody has it
            await state.keys.revoke(key.id)
