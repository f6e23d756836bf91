"""Are the latencies of a call that skips idling those of a call in real time? The same callers on both clocks.

    python -m benchmarks.clock --runs 4

Each run is one call by sound with the embedded stack, to the agent of the dental template, first in real time and then
in skip-idle time, with the same persona and seed. Turns in which the caller was understood alike are compared in pairs:
skip-idle minus real, with the 95 % bootstrap interval of the mean. Let nothing else run meanwhile: in real time a busy
machine makes itself felt in another way than in skip-idle time, where nobody talks while it is late.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from loguru import logger
from rich.console import Console
from rich.table import Table

import voicebot
from voicebot.events import Event
from voicebot.latency import STAGES, Waterfall, percentiles, waterfalls
from voicebot.personas.run import simulate

PERSONAS = ("maria", "corrector", "interrupter")
RESAMPLES = 10_000
Pair = tuple[Waterfall, Waterfall]
"""The same turn in both kinds of call: in real time, and in skip-idle time."""


@dataclass(frozen=True)
class Turns:
    """The answered turns of one call."""

    falls: Sequence[Waterfall]
    call_s: float
    wall_s: float

    def __str__(self) -> str:
        return f"{len(self.falls)} turns, {self.call_s:.1f} s of call in {self.wall_s:.1f} s"


def call(agent: Path, persona: str, seed: int, *, skip_idle: bool) -> Turns:
    happened: list[Event] = []
    done = simulate(agent, persona, seed=seed, skip_idle=skip_idle, faces=[happened.append])
    if done.broke:
        raise SystemExit(f"{persona}, seed {seed}: {done.broke}")
    return Turns([fall for fall in waterfalls(happened) if fall.stages], done.seconds, done.wall_seconds)


def stage(name: str) -> Callable[[Waterfall], float]:
    return lambda fall: sum(part.duration_ms for part in fall.stages if part.name == name)


FIGURES: dict[str, Callable[[Waterfall], float]] = {
    "voice to voice": lambda fall: fall.v2v_ms or 0.0,
    **{name: stage(name) for name in STAGES},
}


def interval(differences: Sequence[float]) -> tuple[float, float, float]:
    """The mean, and the 95 % percentile bootstrap interval of it."""
    values = np.array(differences)
    drawn = np.random.default_rng(0).choice(values, (RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def conditions() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}{load}"


def table(
    names: tuple[str, str], falls: tuple[Sequence[Waterfall], Sequence[Waterfall]], pairs: Sequence[Pair]
) -> Table:
    """Each stage in both kinds of call, and by how much the second of each pair took longer."""
    shown = Table("ms")
    for name, each in zip(names, falls, strict=True):
        shown.add_column(f"{name} p50\nn={len(each)}")
        shown.add_column("\np95")
    shown.add_column(f"difference, mean (95 %)\nn={len(pairs)} pairs")
    for name, figure in FIGURES.items():
        columns = [percentiles(figure(fall) for fall in each) for each in falls]
        cells = [f"{value:.1f}" for found in columns if found for value in (found.p50, found.p95)]
        mean, low, high = interval([figure(second) - figure(first) for first, second in pairs])
        shown.add_row(name, *cells, f"{mean:+.1f} ({low:+.1f} to {high:+.1f})")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4, help="calls on each clock; one in real time takes a minute")
    runs, out = parser.parse_args().runs, Console(width=None if sys.stdout.isatty() else 130)
    logger.remove()
    real: list[Waterfall] = []
    fast: list[Waterfall] = []
    pairs: list[Pair] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "dental"
        shutil.copytree(Path(voicebot.__file__).parent / "templates/dental", root)
        agent = root / "agents/ava.yaml"
        call(agent, PERSONAS[0], 0, skip_idle=True)  # what the first call of a process loads is not measured
        for run in range(runs):
            persona, seed = PERSONAS[run % len(PERSONAS)], 1 + run // len(PERSONAS)
            waited, skipped = (call(agent, persona, seed, skip_idle=skip) for skip in (False, True))
            alike = [(a, b) for a, b in zip(waited.falls, skipped.falls, strict=False) if a.text == b.text]
            real, fast, pairs = [*real, *waited.falls], [*fast, *skipped.falls], [*pairs, *alike]
            out.print(f"{persona}, seed {seed}: real {waited}; skip-idle {skipped}; {len(alike)} turns alike")
    out.print(table(("real", "skip-idle"), (real, fast), pairs))
    out.print(conditions())


if __name__ == "__main__":
    main()
