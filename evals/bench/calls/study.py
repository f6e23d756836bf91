"""One run: systems side by side, level by level, on the same machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voicebot.evals.bench.calls import reference, script
from voicebot.evals.bench.calls.budget import OURS, PEERS, Verdict, verdict
from voicebot.evals.bench.calls.figures import Added, Figures, added, figures, strictly_added
from voicebot.evals.bench.calls.level import Conditions, Measured, measure
from voicebot.evals.bench.calls.plan import turns_needed
from voicebot.evals.bench.calls.search import Search
from voicebot.media import mulaw

FLOOR = "bare"
_FEW_CALLS, _LONGER = 8, 2.0
"""Fewer calls than that have a longer window, up to twice as long, so that there are turns enough."""
_SCRIPTS = 8
"""Different callers; with more calls than this, two callers say the same at different times."""

Measure = Callable[[str, int, Conditions], Awaitable[Measured]]


@dataclass(frozen=True)
class Row:
    """One system at one level, judged."""

    figures: Figures
    added: Added | None
    strict: Added | None
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        broken = [str(breach) for breach in self.verdict.broken]
        judged = {"judged": self.verdict.judged, "fits": self.verdict.fits, "broken": broken}
        latency = {"added": self.added and vars(self.added), "strictly_added": self.strict and vars(self.strict)}
        return self.figures.as_json() | latency | judged


@dataclass
class Study:
    """`told` is called with each row as it is measured."""

    under: Conditions
    smart_turn_ms: float
    """What one run of the turn model takes by itself."""
    peers: Collection[str] = ()
    """Systems that are measured for comparison. With the bare models among them, these are measured at each level."""
    measure: Measure = measure
    told: Callable[[Row], object] = lambda row: None
    rows: list[Row] = field(default_factory=list)

    async def ramp(self, system: str, search: Search) -> int:
        """The highest number of calls that `system` keeps inside the budget; 0: not even the lowest that was tried."""
        while (level := search.next()) is not None:
            row = await self.at(system, level)
            search.tell(level, fits=row.verdict.fits)
        return search.best

    async def at(self, system: str, calls: int) -> Row:
        """Measured once; a level that was measured is remembered."""
        if known := self.known(system, calls):
            return known
        floor = await self._floor(calls) if FLOOR in self.peers and system != FLOOR else None
        under = replace(self.under, window_s=self.under.window_s * longer(calls))
        found = figures(await self.measure(system, calls, under))
        strict = strictly_added(found, self.smart_turn_ms)
        beyond = strict if system == FLOOR else added(found, floor, self.smart_turn_ms)
        row = Row(found, beyond, strict, verdict(found, beyond, PEERS if system in self.peers else OURS))
        self.rows.append(row)
        self.told(row)
        return row

    def known(self, system: str, calls: int) -> Row | None:
        same = (row for row in self.rows if (row.figures.system, row.figures.calls) == (system, calls))
        return next(same, None)

    async def _floor(self, calls: int) -> Figures | None:
        """None where the bare models did not keep up with fewer calls already."""
        lower = [row.figures for row in self.rows if row.figures.system == FLOOR and row.figures.calls < calls]
        if not all(figures.keeps_up for figures in lower):
            return None
        return (await self.at(FLOOR, calls)).figures


def longer(calls: int) -> float:
    """By how much the window is longer."""
    return min(_LONGER, max(1.0, _FEW_CALLS / calls))


def write_scripts(window_s: float) -> list[script.Script]:
    """What callers say for as long as a level takes. Some seconds of work."""
    return [script.write(seed, turns_needed(window_s * _LONGER)) for seed in range(_SCRIPTS)]


def smart_turn_ms(caller: script.Script) -> float:
    """What one run of the turn model takes by itself on this machine."""
    turns = [(turn.starts_s, turn.vad_stop_s) for turn in caller.turns]
    return reference.smart_turn_ms(mulaw.decode(caller.sound), turns)


async def run(study: Study, systems: Sequence[str], levels: Sequence[int], fineness: float) -> dict[str, int]:
    """Each system's highest count; with `levels`, these alone are measured and the highest of them that fits counts."""
    best = {}
    for system in systems:
        if levels:
            rows = [await study.at(system, level) for level in levels]
            best[system] = max((row.figures.calls for row in rows if row.verdict.fits), default=0)
        else:
            best[system] = await study.ramp(system, Search(fineness=fineness))
    return best
