"""What a call may cost its caller, and whether it stays inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voicebot.evals.bench.calls.figures import Added, Figures

LATE_MS = 10.0
"""Callers that are later than this in 5 % of their frames measure themselves."""


@dataclass(frozen=True)
class Budget:
    """None of a limit: it is not looked at."""

    added_ms: float = 50.0
    """p95 of what the engine adds to the models' own time."""
    gap_ms: float = 60.0
    setup_ms: float | None = 100.0
    """p95."""
    memory_mb: float | None = 5.0
    """For each call."""


OURS = Budget()
PEERS = Budget(setup_ms=None, memory_mb=None)
"""Another system is only asked how its conversations go: how long it takes to begin one and what memory that needs is
shown, but does not count against it."""


@dataclass(frozen=True)
class Breach:
    """One thing that was not inside the budget."""

    what: str
    measured: str

    def __str__(self) -> str:
        return f"{self.what}: {self.measured}"


@dataclass(frozen=True)
class Verdict:
    """Of one level. Not `judged`: the callers were late, so this machine cannot say."""

    judged: bool
    broken: tuple[Breach, ...] = ()

    @property
    def fits(self) -> bool:
        return self.judged and not self.broken


def verdict(figures: Figures, added: Added | None, budget: Budget) -> Verdict:
    if figures.callers_late_ms > LATE_MS:
        return Verdict(judged=False)
    return Verdict(judged=True, broken=tuple(_broken(figures, added, budget)))


def _broken(figures: Figures, added: Added | None, budget: Budget) -> Iterator[Breach]:
    if figures.lost:
        reasons = ", ".join(f"{why} ({count})" for why, count in figures.lost.items())
        yield Breach("calls lost", f"{figures.lost_calls} of {figures.calls}: {reasons}")
    if figures.answered < figures.turns or not figures.turns:
        yield Breach("turns answered", f"{figures.answered} of {figures.turns}")
    if added and added.p95 > budget.added_ms:
        yield Breach("engine-added latency p95", f"{added.p95:.0f} ms > {budget.added_ms:.0f} ms")
    if figures.gap_ms > budget.gap_ms:
        yield Breach("audio gap", f"{figures.gap_ms:.0f} ms > {budget.gap_ms:.0f} ms")
    yield from _broken_setup(figures, budget.setup_ms)
    memory_mb, most_mb = figures.memory_mb_per_call, budget.memory_mb
    if memory_mb is not None and most_mb is not None and memory_mb > most_mb:
        yield Breach("memory per call", f"{memory_mb:.1f} MB > {most_mb:.0f} MB")


def _broken_setup(figures: Figures, most_ms: float | None) -> Iterator[Breach]:
    if most_ms is None:
        return
    if figures.setup is None:
        yield Breach("set-up", "no call was set up amid the others")
    elif figures.setup.p95 > most_ms:
        yield Breach("set-up p95", f"{figures.setup.p95:.0f} ms > {most_ms:.0f} ms")
