"""A server of two workers that has calls, and a real Prometheus that looks at it meanwhile.

    with ExitStack() as lasting:
        watched = asyncio.run(watch(tmp_path, lasting, enough))     # calls until `enough(watched)`, or for a while
        watched.prometheus.ask(...)                                 # both go on to the end of `lasting`

Its model fails, the next one does not and has a tool used; the line has a price.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.doubles.keyed_call import a_call
from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import project
from tests.doubles.prometheus_server import PACE_S, PrometheusServer, until
from tests.doubles.serve_process import Server, serving

PARTS = "tests.doubles.voiced_parts:parts"
SOON_S = 120.0
"""A busy machine has done anything else by then."""
_CALLS_S = 240.0
_TOOLS = 'def book(day: str) -> str:\n    """Book a day."""\n    return "done"\n'
_PRICES = "telephony: {websocket: {as_of: 2026-11-01, minute: 0.02}}\n"


@dataclass(frozen=True)
class Watched:
    server: Server
    prometheus: PrometheusServer
    reads: str
    """A key that may read the figures."""
    calls: str
    """A key that may call."""

    def client(self, secret: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=20, trust_env=False)


async def watch(folder: Path, lasting: ExitStack, enough: Callable[[Watched], bool]) -> Watched:
    """There has been a call, and `enough`; or there have been calls for four minutes."""
    async with OpenAIEndpoint(_respond) as model:
        watched = await asyncio.to_thread(_start, folder, model.url, lasting)
        until_s = time.monotonic() + _CALLS_S
        async with watched.client(watched.calls) as http:
            while True:
                async with AsyncExitStack() as line:
                    await a_call(http, line)
                await asyncio.sleep(2 * PACE_S)
                if time.monotonic() > until_s or await asyncio.to_thread(enough, watched):
                    return watched


def _start(folder: Path, model: str, lasting: ExitStack) -> Watched:
    brain = {"llm": ["openai/broken", "openai/double"], "prompt": "You are Ava.", "base_url": model}
    project(folder, {**brain, "tools": ["tools.py:book"]}, _TOOLS, voice={"turns": {"idle": "10m"}})
    (folder / "prices.yaml").write_text(_PRICES)
    server = lasting.enter_context(serving(folder, "--workers", "2", "--calls", "30", parts=PARTS, OPENAI_API_KEY="no"))
    [reads] = server.create_keys(["metrics:read"])
    [calls] = server.create_keys(["calls:write", "calls:stream"])
    prometheus = PrometheusServer(folder, server.port, reads)
    lasting.enter_context(prometheus.running())
    until(prometheus.is_up, SOON_S, prometheus.state)
    return Watched(server, prometheus, reads, calls)


def _respond(body: dict[str, Any]) -> Answer:
    if body["model"] == "broken":
        return answer(status=503)
    if body["messages"][-1]["role"] == "tool":
        return answer("It is booked.", used=(100, 50, 7))
    return answer("", ("book", {"day": "monday"}), used=(100, 0, 9))
