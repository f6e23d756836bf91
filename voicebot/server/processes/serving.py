"""What a worker does from its first model to its last call."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import threading
from functools import partial
from typing import cast

from loguru import logger

from voicebot.errors import EXIT_FAILED, BadInput
from voicebot.observe.metrics import share
from voicebot.server.agents import Agents
from voicebot.server.app import build
from voicebot.server.capacity.board import Board
from voicebot.server.desk import STOPS, Desk, Parts
from voicebot.server.processes.channel import WorkerEnd
from voicebot.server.processes.crew import AT_ONCE, FINISH, Orders
from voicebot.server.processes.front import Front, one_request_each
from voicebot.server.processes.preload import preload
from voicebot.server.site import Site
from voicebot.server.streams import route

_AT_ONCE_S = 3.0
"""How long calls that are told to end now may take to write their records."""
_STUCK_S = 10.0
_LOOK_S = 0.1


async def serve(orders: Orders, line: WorkerEnd) -> int:
    """From the models to the last call. How many calls were left that did not end when they were told to. Raises
    BadInput, Unavailable when it cannot begin."""
    settings, parts = orders.settings, parts_named(orders.parts)
    assert settings.figures_dir, "the supervisor makes the folder around it"
    share(settings.figures_dir, orders.place)
    report = await preload(Agents(settings.project), parts)  # before anything is measured
    board = Board.open(orders.board)
    async with Site.open(settings, orders.place, board, parts, partial(line.tell, stop=True)) as site:
        await site.agents.entries()
        report.keys = len(await site.state.keys.list())
        app = build(site)
        front = Front(one_request_each(app) if settings.workers > 1 else app, route(site))
        await front.start()
        if door := settings.door(orders.place):
            await front.listen(door)
        leave = Leave()
        leave.on_signals()
        line.listen(front.take, leave.supervisor_is_gone)
        site.row.ready = True
        line.tell(ready=report.model_dump())
        await leave.told.wait()
        await finish(site, leave)
        site.row.ready = False
        await asyncio.sleep(_LOOK_S)  # what was handed over just now is answered
        await front.stop()
        left = site.row.calls
    if leave.alone and settings.run_dir:
        shutil.rmtree(settings.run_dir, ignore_errors=True)
    return left


async def finish(site: Site, leave: Leave) -> None:
    """No new calls; returns when the last one is over."""
    site.admission.draining = True
    if site.row.calls and not leave.at_once.is_set():
        logger.info(f"no new calls; {site.row.calls} finish, within {site.settings.drain_s:g} s")
    over = asyncio.create_task(_over(site))
    at_once = asyncio.create_task(leave.at_once.wait())
    await asyncio.wait({over, at_once}, return_when=asyncio.FIRST_COMPLETED)
    if not over.done():
        _end_all(site.desk)
        await asyncio.wait({over}, timeout=_AT_ONCE_S)
    at_once.cancel()
    over.cancel()
    await asyncio.gather(over, at_once, return_exceptions=True)


async def _over(site: Site) -> None:
    """Also for those that have a seat and are about to begin."""
    until_s = asyncio.get_running_loop().time() + site.settings.drain_s
    while site.row.calls:
        left_s = until_s - asyncio.get_running_loop().time()
        late = await site.desk.drain(max(0.0, left_s))
        if late:
            logger.warning(f"{late} calls were told goodbye: they were not over in time")
        await asyncio.sleep(_LOOK_S)


def _end_all(desk: Desk) -> None:
    for live in list(desk.live.values()):
        live.end(STOPS)


class Leave:
    """Whether this worker is to go."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.at_once = asyncio.Event()
        self.alone = False
        """Whether the supervisor is gone."""

    def on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(FINISH, self.told.set)
        loop.add_signal_handler(AT_ONCE, self.now)

    def now(self) -> None:
        self.at_once.set()
        self.told.set()

    def supervisor_is_gone(self) -> None:
        """Nobody hands over connections any more, and the next server takes the calls of this one for lost."""
        logger.error("the supervisor is gone, and this worker goes")
        self.alone = True
        stuck = threading.Timer(_STUCK_S, os._exit, (EXIT_FAILED,))
        stuck.daemon = True
        stuck.start()
        self.now()


def parts_named(name: str) -> Parts | None:
    """The function that is named as 'module:function'."""
    if not name:
        return None
    module, _, function = name.partition(":")
    try:
        return cast(Parts, getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInput(f"VOICEBOT_PARTS: '{name}' is no function of a module here ({error}).") from None
