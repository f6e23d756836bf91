"""How fast the machine was in one run against the other.

Latencies hold what computing took, so a busy machine makes most parts of a reply slower or faster, each by something of
its own; a change of the agent makes one part slower. What happens to the parts typically is therefore the machine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

from voicebot.evals.result import Result

from .pairing import Pair

COMPUTED = ("turn", "stt", "brain", "clause", "voice", "playback")
"""Stages of the waterfall in which something is computed; the silence is waited for."""
SLACK = 0.2
"""A machine that is so much faster or slower has an ordinary day."""
_LEAST_MS = 0.3
"""Less cannot be told from nothing."""
_LEAST_STAGES = 3


@dataclass(frozen=True)
class Pace:
    """The machine in the new run against the old one."""

    factor: float = 1.0
    """How many times slower it computed: the median over the stages."""
    unrest: float = 1.0
    """By which factor a stage typically differs, be it slower or faster; 1 when it cannot be told."""
    waited_ms: float = 0.0
    """What is typically waited for in a reply of the old run, however fast the machine is."""

    def explained_ms(self, v2v_ms: float) -> float:
        """By how much a latency may differ because of it: twice what the typical stage would."""
        return 2 * (self.unrest - 1) * max(0.0, v2v_ms - self.waited_ms)

    @property
    def differs(self) -> bool:
        return self.unrest > 1 + SLACK


def pace(pairs: Sequence[Pair]) -> Pace:
    """From the median time of every stage in both runs."""
    old, new = [pair.a for pair in pairs], [pair.b for pair in pairs]
    times = [(_typical_ms(old, stage), _typical_ms(new, stage)) for stage in COMPUTED]
    logs = [log(after / before) for before, after in times if min(before, after) >= _LEAST_MS]
    waited_ms = _typical_ms(old, "silence")
    if len(logs) < _LEAST_STAGES:
        return Pace(waited_ms=waited_ms)
    return Pace(exp(median(logs)), exp(median(map(abs, logs))), waited_ms)


def _typical_ms(results: Sequence[Result], stage: str) -> float:
    times = [time for result in results for time in result.measures.stages_ms.get(stage, [])]
    return median(times) if times else 0.0
