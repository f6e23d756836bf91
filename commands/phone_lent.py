"""`voicebot phone dev` with a real number: it is lent to this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from voicebot import config, paths
from voicebot.errors import BadInput
from voicebot.server.processes.doorway import listen
from voicebot.telephony import pointed
from voicebot.telephony.account import TOKEN, Account
from voicebot.telephony.numbers import Number, Numbers, Pointing

from . import phone_screen, phone_tunnel
from .terminal import Screen

if TYPE_CHECKING:
    from voicebot.server.site import Site

_INSTEAD = "To try the agent without a number: voicebot phone dev --emulate"


def lend(screen: Screen, agent: Path, number: str, url: str, port: int, *, as_json: bool) -> None:
    """Until Ctrl-C, SIGTERM or a closed terminal. Raises BadInput, Unavailable."""
    root = paths.root_of(agent)
    try:
        account = Account.of_project(root)
    except BadInput as error:
        raise BadInput(f"{error} {_INSTEAD}") from None
    if config.key(TOKEN, root) is None:
        raise BadInput(f"set {TOKEN}, too: Twilio signs its requests with it, and an API key cannot check that.")
    phone_screen.warn_of(screen)
    asyncio.run(_lent(screen, Numbers(account), agent, number, url, port, as_json=as_json))


async def _lent(
    screen: Screen, numbers: Numbers, agent: Path, which: str, url: str, port: int, *, as_json: bool
) -> None:
    root = paths.root_of(agent)
    notes = pointed.folder(root)
    for back in await pointed.give_back(numbers, notes):
        phone_screen.back(screen, back, late=True)
    number = await _chosen(numbers, which)
    if not number.voice:
        raise BadInput(f"{number.number} takes no calls, only messages: choose another one with --number.")
    stop = _stop_on_signals()
    calls = phone_screen.Calls(screen, as_json=as_json)
    loan: pointed.Loan | None = None
    with listen("127.0.0.1", port) as listening:
        try:
            async with AsyncExitStack() as stack:
                with screen.waiting("getting ready ..."):
                    way = await stack.enter_async_context(phone_tunnel.way(url, listening.getsockname()[1], root))
                    site = await _served(stack, listening, root, way.url, calls)
                    lent = pointed.lent(numbers, number, Pointing.to(way.url, agent.stem), notes)
                    loan = await stack.enter_async_context(lent)
                phone_screen.ready(screen, number.number, agent.stem, way.url, number.answered_by)

                async def moved(to: str) -> None:
                    if not await loan.move(Pointing.to(to, agent.stem)):
                        screen.warn(f"{number.number} was pointed elsewhere meanwhile: left as it is.")

                async with phone_tunnel.watched(screen, way, site.address, moved):
                    await stop.wait()
        finally:
            calls.close()
            if loan:
                phone_screen.back(screen, loan.back)


async def _served(
    stack: AsyncExitStack, listening: socket.socket, root: Path, reached: str, calls: phone_screen.Calls
) -> Site:
    """The server, in this process, until the stack is closed."""
    from voicebot.server.processes import alone, slot  # the engine, seconds of it: what is wrong is told before
    from voicebot.server.processes.serving import parts_named
    from voicebot.server.settings import Settings

    settings = Settings(project=root, port=listening.getsockname()[1], public_url=reached)
    settings = await stack.enter_async_context(slot.named(settings))
    parts = parts_named(os.environ.get("VOICEBOT_PARTS", ""))
    return await stack.enter_async_context(alone.serving(settings, listening, calls.watch, parts))


async def _chosen(numbers: Numbers, which: str) -> Number:
    """The one that is named, or the only one. Raises BadInput."""
    if which:
        return await numbers.find(which)
    mine = await numbers.list()
    if len(mine) == 1:
        return mine[0]
    if mine:
        raise BadInput(f"which number? --number with one of {', '.join(each.number for each in mine)}")
    raise BadInput(f"this account has no number yet. Find one: voicebot phone numbers search. {_INSTEAD}")


def _stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C, SIGTERM, or when the terminal is closed; a second one does not wait for anything."""
    loop, stop, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
    assert task is not None

    def told() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told)
    return stop
