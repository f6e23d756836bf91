"""What calls notice when a server stops, when a worker is killed and when one call too many comes.

    python -m benchmarks.drain [--calls 50]

Two servers with a worker each behind a real HAProxy (Debian: apt-get install haproxy), then one server with two
workers. The agent speaks without an end and in real time, so each hold-up is a hole in what its callers hear.
"""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tests.doubles import haproxy
from tests.doubles.eventually import eventually
from tests.doubles.held_call import PARTS, Held, Refused, dial
from tests.doubles.project import project
from tests.doubles.serve_process import Server, serving
from voicebot.server.settings import Settings
from voicebot.server.state import State, default_url
from voicebot.store.calls import newest_first, read

_TALK_S = 10.0
"""How long calls go on behind what happens to them."""


def main(calls: Annotated[int, typer.Option(help="Live calls.")] = 50) -> None:
    """A server stops, a worker is killed, and one call too many comes."""
    with tempfile.TemporaryDirectory(prefix="voicebot-drain-") as folder:
        if haproxy.program():
            with _pair(Path(folder), calls) as (url, servers):
                asyncio.run(_stop_one(url, servers, calls))
        else:
            typer.echo("no HAProxy here: the first part is left out")
        root = _project(Path(folder) / "alone")
        with serving(root, "--workers", "2", "--calls", str(-(-calls // 2)), parts=PARTS) as server:
            asyncio.run(_full_and_killed(server, calls))


def _project(root: Path) -> Path:
    project(root, {"llm": ["openai/double"], "prompt": "You are Ava."}, voice={"turns": {"idle": "10m"}})
    return root


@contextmanager
def _pair(folder: Path, calls: int) -> Iterator[tuple[str, list[Server]]]:
    roots = [_project(folder / name) for name in ("one", "two")]
    told = ["--database", default_url(Settings(project=roots[0])), "--calls", str(2 * calls)]
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        servers = list(pool.map(stack.enter_context, [serving(root, *told, parts=PARTS) for root in roots]))
        yield stack.enter_context(haproxy.proxied(folder, *(server.port for server in servers))), servers


async def _dial(url: str, secret: str, count: int) -> list[Held]:
    calls = await asyncio.gather(*(dial(url, "ava", secret) for _ in range(count)))
    await asyncio.gather(*(call.speaks() for call in calls))
    await asyncio.sleep(2)
    typer.echo(f"  {count} calls speak; longest gap so far, their set-up included: {_gap_ms(calls):.0f} ms")
    for call in calls:
        call.gap_ms = 0.0
    return calls


def _gap_ms(calls: list[Held]) -> float:
    return max((call.gap_ms for call in calls if call.live), default=0.0)


async def _stop_one(url: str, servers: list[Server], count: int) -> None:
    typer.echo(f"SIGTERM to one of two servers behind HAProxy, {count} live calls")
    secret = await _key(servers[0])
    calls = await _dial(url, secret, count)
    servers[0].process.send_signal(signal.SIGTERM)
    began_s, later, refused = time.monotonic(), list[Held](), 0
    while time.monotonic() < began_s + _TALK_S:
        try:
            later.append(await dial(url, "ava", secret))
        except Refused:
            refused += 1
        await asyncio.sleep(0.25)
    typer.echo(
        f"  after {_TALK_S:.0f} s: {sum(call.live for call in calls)} of them live, longest gap {_gap_ms(calls):.0f} ms"
    )
    typer.echo(f"  new calls meanwhile: {len(later)} answered by the other server, {refused} refused")
    await asyncio.gather(*(call.hang_up() for call in [*calls, *later]))
    await eventually(lambda: servers[0].process.poll() is not None, 30)
    ends = Counter((call.bye, call.code) for call in [*calls, *later])
    typer.echo(f"  ends (goodbye of the protocol, close code): {dict(ends)}; exit code {servers[0].process.returncode}")
    for server in servers:
        typer.echo(f"  records of {server.project.name}: {_ends(server)}")


async def _full_and_killed(server: Server, count: int) -> None:
    typer.echo(f"one call too many, with {count} live calls at a limit of {count} over two workers")
    secret = await _key(server)
    calls = await _dial(server.url, secret, count)
    took_ms = []
    for _ in range(20):
        try:
            await dial(server.url, "ava", secret)
        except Refused as refused:
            took_ms.append(1000 * refused.took_s)
    typer.echo(
        f"  {len(took_ms)} of 20 refused, the slowest after {max(took_ms):.0f} ms; longest gap {_gap_ms(calls):.0f} ms"
    )
    typer.echo("kill -9 of one worker")
    for call in calls:
        call.gap_ms = 0.0
    server.workers[0].kill()
    began_s = time.monotonic()
    await eventually(lambda: '"level": "error", "message": "call ' in server.log.read_text(), 60)
    typer.echo(f"  its calls were lost in the state and the record after {time.monotonic() - began_s:.1f} s")
    await asyncio.sleep(_TALK_S)
    typer.echo(f"  {sum(call.live for call in calls)} of {count} live, longest gap {_gap_ms(calls):.0f} ms")
    await asyncio.gather(*(call.hang_up() for call in calls))
    async with await State.open(default_url(Settings(project=server.project))) as kept:
        rows = (await kept.calls.list(limit=200)).rows
    typer.echo(
        f"  state: {dict(Counter((row.state, row.reason, row.detail) for row in rows))}; records: {_ends(server)}"
    )


async def _key(server: Server) -> str:
    async with await State.open(default_url(Settings(project=server.project))) as kept:
        return (await kept.keys.create("drain", ["calls:stream"]))[1]


def _ends(server: Server) -> str:
    return json.dumps(Counter(read(folder).how_it_ended for folder in newest_first(server.project / "calls")))


if __name__ == "__main__":
    typer.run(main)
