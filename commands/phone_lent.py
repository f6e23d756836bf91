"""`voicebot phone dev` with a real number: it is lent to this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from contextlib import AsyncExitStack
from pathlib import Path

from voicebot import config, paths
from voicebot.errors import BadInput
from voicebot.server.processes.doorway import listen
from voicebot.telephony import pointed
from voicebot.telephony.account import TOKEN, Account
from voicebot.telephony.numbers import Number, Numbers, Pointing
from voicebot.telephony.tunnel import TOKEN as NGROK_TOKEN
from voicebot.telephony.tunnel import tunnel

from . import phone_screen
from .terminal import Screen

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
    with listen("127.0.0.1", port) as listening:
        try:
            async with AsyncExitStack() as stack:
                with screen.waiting("getting ready ..."):
                    reached = await _public(stack, url, listening.getsockname()[1], root)
                    await _served(stack, listening, root, reached, calls)
                    lent = pointed.lent(numbers, number, Pointing.to(reached, agent.stem), notes)
                    loan = await stack.enter_async_context(lent)
                phone_screen.ready(screen, number.number, agent.stem, reached, number.answered_by)
                await stop.wait()
        finally:
            calls.close()
    phone_screen.back(screen, loan.back)


async def _served(
    stack: AsyncExitStack, listening: socket.socket, root: Path, reached: str, calls: phone_screen.Calls
) -> None:
    """The server, in this process, until the stack is closed."""
    from voicebot.server.processes import alone, slot  # the engine, seconds of it: what is wrong is told before
    from voicebot.server.processes.serving import parts_named
    from voicebot.server.settings import Settings

    settings = Settings(project=root, port=listening.getsockname()[1], public_url=reached)
    settings = await stack.enter_async_context(slot.named(settings))
    parts = parts_named(os.environ.get("VOICEBOT_PARTS", ""))
    await stack.enter_async_context(alone.serving(settings, listening, calls.watch, parts))


async def _public(stack: AsyncExitStack, url: str, port: int, root: Path) -> str:
    """Where Twilio reaches this machine: the tunnel that is there, or one that is opened until the stack is closed."""
    if not url:
        return await stack.enter_async_context(tunnel(port, config.key(NGROK_TOKEN, root)))
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise BadInput(f"--url: '{url}' is no web address. Write it as https://my-tunnel.example.com.")
    return url.rstrip("/")


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
