"""How many calls connect, and how many are cut off: short ones from browsers and by telephone, on this machine.

    python -m benchmarks.connections
    python -m benchmarks.connections --calls 50 --at-once 4

`voicebot serve` runs as a process of its own, with stand-ins for recogniser, model and voice. Browsers are aiortc with
the requests of the page, telephones are Twilio's side of a Media Stream. A call has connected when its caller hears the
greeting; it was dropped when the server ended it, or was silent, before the caller hung up. A server that has more work
than it can do in time refuses calls: such a caller tries again, and the refusals are counted. Exit code 1 when fewer
than 99 % connect, or 1 % are dropped.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.remembered import forgotten
from benchmarks.telephone import Outcome, Telephone
from tests.doubles.browser_caller import BrowserCaller
from tests.doubles.serve_process import TOKEN, Server, serving
from voicebot.errors import EXIT_FAILED
from voicebot.evals.bench.calls import stubs

AGENT = "benchmark"
LISTEN_S = 1.0
"""Behind the first sound."""
LEAST_CONNECTED, MOST_DROPPED = 0.99, 0.01
_HEARD = ("answered", "degraded")
_TRIES, _AGAIN_S = 10, 3.0


def main(
    calls: Annotated[int, typer.Option(help="Calls of each kind.")] = 200,
    at_once: Annotated[int, typer.Option(help="Calls under way at the same time.")] = 6,
) -> None:
    """Short calls from browsers, then by telephone."""
    with tempfile.TemporaryDirectory(prefix="voicebot-connections-") as folder:
        project = Path(folder)
        (project / "agents").mkdir()
        (project / "agents" / f"{AGENT}.yaml").write_text(stubs.AGENT)
        with serving(project, "--calls", str(4 * at_once)) as server:
            problems = asyncio.run(_measured(server, calls, at_once))
    typer.echo("\n".join(problems) or "All of them are in the record.")
    if problems:
        raise typer.Exit(EXIT_FAILED)


async def _measured(server: Server, calls: int, at_once: int) -> list[str]:
    """What was not as it has to be."""
    typer.echo("             calls   connected   dropped   refused   set-up p50      p95   memory")
    browsers, refused = await _all(calls, at_once, lambda: _browse(server))
    problems = _row("browser", browsers, refused, server)
    async with Telephone(server.url, AGENT, TOKEN) as telephone:
        phones, refused = await _all(calls, at_once, lambda: telephone.call(listen_s=LISTEN_S))
    problems += _row("telephone", phones, refused, server)
    return problems + await forgotten(server, [*browsers, *phones])


async def _all(calls: int, at_once: int, call: Callable[[], Awaitable[Outcome]]) -> tuple[list[Outcome], int]:
    """What became of each, and how many were refused on the way."""
    room, refused = asyncio.Semaphore(at_once), 0

    async def one() -> Outcome:
        nonlocal refused
        async with room:
            for _ in range(_TRIES):
                if (outcome := await call()).how != "refused":
                    break
                refused += 1
                await asyncio.sleep(_AGAIN_S)
            return outcome

    return list(await asyncio.gather(*(one() for _ in range(calls)))), refused


async def _browse(server: Server) -> Outcome:
    """One call: from the request of its ticket to its end."""
    began_s = time.monotonic()
    async with BrowserCaller(server.url, AGENT) as caller:
        try:
            await caller.call()
            heard_s = await caller.until_it_sounds()
            setup_ms = (time.monotonic() - began_s) * 1000
            await asyncio.sleep(LISTEN_S)
            if any(message["type"] == "ended" for message in caller.messages):
                return Outcome("dropped", "the server hung up", setup_ms)
            if max(at_s for at_s, _ in caller.heard) < heard_s + LISTEN_S / 2:
                return Outcome("dropped", "the sound stopped", setup_ms)
            await caller.hang_up()
            await caller.until("ended")
        except (AssertionError, OSError, TimeoutError) as error:
            if "urn:voicebot:problem:no-room" in str(error):
                return Outcome("refused", "no room")
            return Outcome("dropped", f"{type(error).__name__}: {error}")
    return Outcome("answered", setup_ms=setup_ms)


def _row(name: str, outcomes: Sequence[Outcome], refused: int, server: Server) -> list[str]:
    """Prints it. Returns what is wrong with it."""
    connected = [outcome.setup_ms for outcome in outcomes if outcome.setup_ms]
    cut = sum(outcome.how not in _HEARD for outcome in outcomes if outcome.setup_ms)
    rate, dropped = len(connected) / len(outcomes), cut / max(1, len(connected))
    p50, p95 = (statistics.quantiles(connected, n=20)[i] if len(connected) > 1 else 0.0 for i in (9, 18))
    rates = f"{name:10} {len(outcomes):7} {rate:10.1%} {dropped:9.1%} {refused:9}"
    typer.echo(f"{rates} {p50:9.0f} ms {p95:5.0f} ms {server.memory_mb():5.0f} MB")
    problems = [f"{name}: {rate:.1%} connected"] if rate < LEAST_CONNECTED else []
    problems += [f"{name}: {dropped:.1%} were dropped"] if dropped >= MOST_DROPPED else []
    reasons = Counter(outcome.why for outcome in outcomes if outcome.how not in _HEARD)
    return problems + [f"{count} x {why}" for why, count in reasons.items()]


if __name__ == "__main__":
    typer.run(main)
