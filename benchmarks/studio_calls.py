"""How fast the studio's list of calls opens and answers a search: python -m benchmarks.studio_calls [--calls 5000]

Makes synthetic calls, and opens the studio on them without a terminal: the first time (nothing is kept yet of the
calls), and again. Each time is from the wish to what stands on the screen.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from textual.pilot import Pilot
from textual.widgets import Input

from benchmarks.kpis import write
from tests.doubles.studio import until
from voicebot.studio.app import Studio
from voicebot.studio.calls.page import Calls
from voicebot.studio.calls.shelf import Card
from voicebot.studio.look.rows import Rows

SEARCHES = ("lopez", "tuesday nine", "ninety dollars", "agent:ava end:failed", "nothing says this", "slower:900 much")


async def measured(project: Path, when: str, count: int) -> None:
    app = Studio(project, first="calls")
    begun = time.perf_counter()
    async with app.run_test(size=(160, 50)) as pilot:
        page = app.screen
        assert isinstance(page, Calls)
        rows: Rows[Card] = page.query_one("#list", Rows)
        await until(pilot, lambda: rows.items)
        tell(f"{when}: the list is there", begun)
        await until(pilot, lambda: rows.items and rows.items[0].agent)
        tell(f"{when}: with all that is known of {len(rows.items)} calls", begun)
        await until(pilot, lambda: page.searchable)
        tell(f"{when}: what was said in them is read", begun)
        took_ms = [await searched(pilot, page, rows, text) for text in SEARCHES]
        worst = max(took_ms)
        sys.stdout.write(
            f"{when}: a search, {len(SEARCHES)} of them: p50 {median(took_ms):.0f} ms, worst {worst:.0f} ms\n"
        )
        step_ms = [await moved(pilot, rows) for _ in range(20)]
        sys.stdout.write(f"{when}: a page down: p50 {median(step_ms):.0f} ms, worst {max(step_ms):.0f} ms\n")
    assert len(rows.items) <= count


async def searched(pilot: Pilot[None], page: Calls, rows: Rows[Card], text: str) -> float:
    """From the last letter to its answer on the screen, ms."""
    field = page.query_one("#find", Input)
    before = page.answers
    field.value = ""
    await until(pilot, lambda: page.answers > before)
    before = page.answers
    begun = time.perf_counter()
    field.value = text
    await until(pilot, lambda: page.answers > before)
    return (time.perf_counter() - begun) * 1000


async def moved(pilot: Pilot[None], rows: Rows[Card]) -> float:
    begun = time.perf_counter()
    rows.action_page(1)
    await pilot.pause()
    return (time.perf_counter() - begun) * 1000


def tell(what: str, begun: float) -> None:
    sys.stdout.write(f"{what:<58} {(time.perf_counter() - begun) * 1000:>6.0f} ms\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    options = parser.parse_args()
    show: Callable[[str], object] = sys.stdout.write
    with tempfile.TemporaryDirectory() as aside:
        project = Path(aside)
        size = write(project, options.calls)
        show(f"{options.calls} calls, {size / 1e6:.0f} MB of events\n")
        asyncio.run(measured(project, "first", options.calls))
        asyncio.run(measured(project, "again", options.calls))


if __name__ == "__main__":
    main()
