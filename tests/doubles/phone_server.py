"""`voicebot serve` in this process: the real app under a real uvicorn, with stand-ins for the providers of its agents.

    async with served(tmp_path) as server:
        exchange = Exchange(server.address)

In the end everything that a call takes has to be given back: seats, tasks, sockets, entries in the registry.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import uvicorn

from tests.doubles.project import project
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from voicebot.agent import Agent
from voicebot.server import state
from voicebot.server.app import build
from voicebot.server.capacity import admission
from voicebot.server.settings import Settings
from voicebot.server.site import Site
from voicebot.server.streams import route
from voicebot.transports.served import upgrades

GREETING = "Good morning, this is Ava, what may I do for you today?"


@dataclass
class Served:
    """A running server."""

    site: Site
    address: str
    """host:port"""
    brains: list[EchoBrain]
    """Those of its calls."""

    async def idle(self, within_s: float = 5.0) -> None:
        """All calls are over, and their ends are in the books."""
        async with asyncio.timeout(within_s):
            while await self._busy():  # noqa: ASYNC110 - three places, none of which tells
                await asyncio.sleep(0.01)

    async def _busy(self) -> bool:
        page = await self.site.state.calls.list(state="live")
        return bool(self.site.desk.live or self.site.row.calls or page.rows)


def parts_of(
    brains: list[EchoBrain], greeting: str, brain: Callable[[], EchoBrain] | None = None
) -> Callable[[Agent], dict[str, Any]]:
    def parts(agent: Agent) -> dict[str, Any]:
        brains.append(brain() if brain else EchoBrain(greeting=greeting))
        return {"stt": ScriptSTT(["hello"] * 100), "tts": ToneTTS(8000), "brain": brains[-1]}

    return parts


@asynccontextmanager
async def served(
    root: Path,
    *,
    greeting: str = GREETING,
    brain: Callable[[], EchoBrain] | None = None,
    parts: Callable[[Agent], dict[str, Any]] | None = None,
    stop: Callable[[], object] | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """A server of the project in `root`, with the agent 'ava'."""
    if not (root / "agents").exists():
        project(root, {"llm": ["openai/double"], "prompt": "You are Ava."})
    told = Settings(project=root, **settings)
    state.migrate(state.default_url(told))
    brains: list[EchoBrain] = []
    with mock.patch.object(admission, "LATE_MS", math.inf):  # what else this machine does is not what is tested
        async with Site.open(told, parts=parts or parts_of(brains, greeting, brain), stop=stop) as site:
            config = uvicorn.Config(
                build(site), port=0, ws=upgrades(route(site)), lifespan="on", log_level="warning", server_header=False
            )
            server = uvicorn.Server(config)
            running = asyncio.create_task(server._serve(None))
            while not server.started:  # noqa: ASYNC110 - uvicorn has nothing to wait for
                await asyncio.sleep(0.01)
            try:
                yield Served(site, f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", brains)
            finally:
                server.should_exit = True
                await running


class Leftovers:
    """What there was before its calls, and what there is besides when they are over."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._before = _held() + Counter({"Event.wait": 1})  # in which the ledger waits, when it has nothing to do

    async def none(self, within_s: float = 3.0) -> None:
        """Fails when something is left of the calls there were."""
        await self._server.idle()
        until = asyncio.get_running_loop().time() + within_s
        clock = asyncio.get_running_loop().time
        while (left := _held() - self._before) and clock() < until:  # noqa: ASYNC110 - nobody tells when all is gone
            await asyncio.sleep(0.02)
        assert not left, left
        assert self._server.site.desk.live == {}
        assert self._server.site.row.calls == 0


def _held() -> Counter[str]:
    """Tasks of this loop by what they do, and sockets of this process."""
    tasks = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    return tasks + Counter("socket" for number in os.listdir("/proc/self/fd") if _is_socket(number))


def _is_socket(number: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    except FileNotFoundError:  # the listing's own
        return False
