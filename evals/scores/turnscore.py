"""How well a turn was taken, from 0 to 1: the curves of EVA-bench's `turn_taking` (ServiceNow, version 0.2).

A turn that nobody interrupts is judged by its latency; one that the agent interrupts by how long and how often it
spoke over the caller, and by the silence that it left afterwards; one with which the caller interrupts by how fast the
agent yields. Of several, the lowest counts.
"""

from __future__ import annotations

from dataclasses import dataclass

EARLIEST_MS, GOOD_FROM_MS = -500.0, 500.0
GOOD_UNTIL_MS, LATEST_MS = 2000.0, 3500.0
GOOD_UNTIL_WITH_TOOL_MS, LATEST_WITH_TOOL_MS = 3000.0, 5000.0
INTERRUPTING_AT_BEST = 0.5
OVERLAP_LIMIT_MS = 2000.0
INTERRUPTIONS_LIMIT = 3
YIELD_LIMIT_MS = 2000.0


def latency_score(latency_ms: float, *, tool: bool = False) -> float:
    """1 between 0.5 and 2.0 s (3.0 s when a tool ran), falling to 0 at -0.5 s and at 3.5 s (5.0 s)."""
    good_until = GOOD_UNTIL_WITH_TOOL_MS if tool else GOOD_UNTIL_MS
    latest = LATEST_WITH_TOOL_MS if tool else LATEST_MS
    rising = (latency_ms - EARLIEST_MS) / (GOOD_FROM_MS - EARLIEST_MS)
    falling = (latest - latency_ms) / (latest - good_until)
    return max(0.0, min(1.0, rising, falling))


def overlap_score(overlap_ms: float) -> float:
    """0.5 for an interruption without overlap, 0 from 2 s of it."""
    return max(0.0, INTERRUPTING_AT_BEST * (1 - overlap_ms / OVERLAP_LIMIT_MS))


def count_score(interruptions: int) -> float:
    """0.5 for one interruption of a turn, 0.25 for two, 0 for three and more."""
    return max(0.0, INTERRUPTING_AT_BEST * (1 - (interruptions - 1) / (INTERRUPTIONS_LIMIT - 1)))


def yield_score(yield_ms: float) -> float:
    """1 - ms/2000, and not below 0."""
    return max(0.0, 1 - max(0.0, yield_ms) / YIELD_LIMIT_MS)


@dataclass(frozen=True)
class TurnFacts:
    """What one turn is judged by."""

    latency_ms: float | None
    """From the caller's end to the agent's answer (after an interruption by the agent: to its next words). None when
    there is none to be judged."""
    tool: bool = False
    overlap_ms: float = 0.0
    interruptions: int = 0
    """Stretches of the agent's speech that overlap the turn and began in it."""
    yield_ms: float | None = None
    """For a turn that began while the agent spoke: how long it spoke on."""


def turn_score(turn: TurnFacts) -> float:
    """The score of a turn. One that was neither answered nor interrupted scores 0."""
    latency = None if turn.latency_ms is None else latency_score(turn.latency_ms, tool=turn.tool)
    parts: list[float] = []
    if turn.interruptions:
        parts += [overlap_score(turn.overlap_ms), count_score(turn.interruptions)]
        parts += [] if latency is None else [latency]
    if turn.yield_ms is not None:
        parts.append(yield_score(turn.yield_ms))
    if not parts:
        return latency or 0.0
    return min(parts)
