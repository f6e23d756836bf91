"""Does a server last? Many short calls one after the other, then many at once, and nobody may be forgotten.

    python -m benchmarks.endurance
    python -m benchmarks.endurance --calls 100 --burst 50 --limit 10

`voicebot serve` runs as a process of its own, with stand-ins for recogniser, model and voice; calls come as Twilio
makes them. Each has to be answered well, or to be refused with TwiML that says so; each has to be in the record; and
the memory of the workers may not grow once they are warm. Exit code 1 when something of that is not so.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.remembered import forgotten
from benchmarks.telephone import Outcome, Telephone
from tests.doubles.serve_process import TOKEN, Server, serving
from voicebot.errors import EXIT_FAILED
from voicebot.evals.bench.calls import stubs

AGENT = "benchmark"
SHORT_S = 0.3
"""A short call, behind its first sound."""
GREETING_S = stubs.length_s(stubs.GREETING)
LONG_S = GREETING_S + 1.0
"""One that hears the greeting to its end."""
WARM = 100
"""Calls until everything that is loaded once has been."""
MOST_GROWTH_MB = 8.0
COLUMNS = ("calls", "answered", "refused", "degraded", "dropped", "set-up p50", "p95", "worst gap", "memory", "files")


def main(
    calls: Annotated[int, typer.Option(help="Short calls, one after the other.")] = 1000,
    burst: Annotated[int, typer.Option(help="Calls that arrive at once.")] = 100,
    limit: Annotated[int, typer.Option(help="Calls that a worker may have.")] = 25,
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 1,
) -> None:
    """Many short calls in sequence, then many at once."""
    with tempfile.TemporaryDirectory(prefix="voicebot-endurance-") as folder:
        project = Path(folder)
        (project / "agents").mkdir()
        (project / "agents" / f"{AGENT}.yaml").write_text(stubs.AGENT)
        with serving(project, "--calls", str(limit), "--workers", str(workers)) as server:
            problems = asyncio.run(_endure(server, calls, burst))
    typer.echo("\n".join(problems) or "Nothing was dropped, degraded or forgotten.")
    if problems:
        raise typer.Exit(EXIT_FAILED)


async def _endure(server: Server, calls: int, burst: int) -> list[str]:
    """What was not as it has to be."""
    outcomes: list[Outcome] = []
    memory_mb: list[float] = []
    typer.echo(_line(COLUMNS))
    async with Telephone(server.url, AGENT, TOKEN) as telephone:
        for first in range(0, calls, WARM):
            some = [await telephone.call(listen_s=SHORT_S) for _ in range(min(WARM, calls - first))]
            outcomes += some
            memory_mb.append(server.memory_mb())
            typer.echo(_row(f"{first + 1} to {first + len(some)}", some, server))
        many = await asyncio.gather(*(telephone.call(listen_s=LONG_S, greeting_s=GREETING_S) for _ in range(burst)))
    typer.echo(_row(f"{burst} at once", many, server))
    outcomes += many
    return [*_bad(outcomes), *_grown(memory_mb), *await forgotten(server, outcomes)]


def _row(name: str, outcomes: Sequence[Outcome], server: Server) -> str:
    count = Counter(outcome.how for outcome in outcomes)
    setups_ms = sorted(outcome.setup_ms for outcome in outcomes if outcome.setup_ms) or [0.0]
    return _line(
        (
            name,
            *(str(count[how]) for how in ("answered", "refused", "degraded", "dropped")),
            f"{statistics.median(setups_ms):.0f} ms",
            f"{setups_ms[int(0.95 * (len(setups_ms) - 1))]:.0f} ms",
            f"{max(outcome.gap_ms for outcome in outcomes):.0f} ms",
            f"{server.memory_mb():.1f} MB",
            str(server.files()),
        )
    )  # fmt: skip - a row reads best as one


def _line(cells: Sequence[str]) -> str:
    return "  ".join(cell.rjust(len(head) + 2) for cell, head in zip(cells, (" " * 9, *COLUMNS[1:]), strict=True))


def _bad(outcomes: Sequence[Outcome]) -> list[str]:
    reasons = Counter(f"{outcome.how}: {outcome.why}" for outcome in outcomes if outcome.how in ("dropped", "degraded"))
    return [f"{count} x {reason}" for reason, count in reasons.items()]


def _grown(memory_mb: Sequence[float]) -> list[str]:
    grown_mb = memory_mb[-1] - memory_mb[0] if memory_mb else 0.0
    return [f"memory grew by {grown_mb:.1f} MB"] if grown_mb > MOST_GROWTH_MB else []


if __name__ == "__main__":
    typer.run(main)
