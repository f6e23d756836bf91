"""`voicebot doctor --live`: the providers of a project, asked again and again, and how they do now."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table
    from rich.text import Text

    from voicebot.agent import Agent
    from voicebot.probes import Probes, Row

    from .terminal import Screen

HEADERS = ("", "provider", "tries", "failed", "p50", "p95", "now")
_RIGHT = HEADERS[2:6]
_REFRESH_S = 0.5


def watch(project: Path, screen: Screen, *, every_s: float, for_s: float | None, as_json: bool) -> bool:
    """Until Ctrl-C, or for `for_s`. Whether every provider has answered. Raises BadInput, Unavailable."""
    from voicebot import clock

    agents = _agents(project)
    ends = f"it ends in {for_s:g} s" if for_s else "Ctrl-C ends it"
    screen.talk(f"Every provider of the agents is asked something small every {every_s:g} s; {ends}.", "note")
    rows: list[Row] = []
    with suppress(KeyboardInterrupt):
        clock.run(_watch(agents, rows, screen, every_s, for_s, live=not as_json))
    if as_json:
        screen.json([asdict(row) for row in rows])
    else:
        screen.table(HEADERS, [_cells(row) for row in rows], right=_RIGHT)
    return all(row.tries > row.failures for row in rows)


def _agents(project: Path) -> list[Agent]:
    from voicebot import paths
    from voicebot.agent import Agent
    from voicebot.errors import BadInput

    files = paths.agent_files(project)
    if not files:
        raise BadInput(
            f"no agents in {paths.shown(project)}, so there is nobody to ask: voicebot doctor --live PROJECT"
        )
    return [Agent.load(file) for file in files]


async def _watch(
    agents: list[Agent], rows: list[Row], screen: Screen, every_s: float, for_s: float | None, *, live: bool
) -> None:
    """`rows` are filled at the end, however that comes."""
    from voicebot.probes import Probes

    probes = Probes(agents)
    showing = asyncio.create_task(_show(probes, screen)) if live and screen.live and not screen.quiet else None
    try:
        await probes.run(every_s, for_s or math.inf)
    finally:
        rows += probes.rows()
        if showing:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)


async def _show(probes: Probes, screen: Screen) -> None:
    """The rows as they are now; gone when it ends."""
    from rich.live import Live

    with Live(console=screen.out, transient=True, auto_refresh=False) as live:
        while True:
            live.update(_table(probes.rows()), refresh=True)
            await asyncio.sleep(_REFRESH_S)


def _table(rows: list[Row]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in HEADERS:
        table.add_column(header, justify="right" if header in _RIGHT else "left", overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str | Text, ...]:
    from rich.text import Text

    return (
        row.kind,
        row.name,
        str(row.tries),
        Text(str(row.failures), "bad" if row.failures else ""),
        _ms(row.p50_ms),
        _ms(row.p95_ms),
        _now(row),
    )


def _now(row: Row) -> Text:
    from rich.text import Text

    if row.passed_over:
        error = f" ({row.error})" if row.error else ""
        return Text(f"passed over: {row.passed_over}{error}", "bad")
    if row.error:
        return Text(row.error, "poor")
    return Text("well", "good") if row.tries else Text("asked ...", "dim")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
