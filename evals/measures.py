"""Everything that is measured in one call, as counts and lists, so that calls add up: rates come from sums.

Definitions: docs/metrics.md. Lists hold one value a turn (or sound); their percentiles over many calls are taken over
all values together.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Rate(BaseModel):
    """`hits` of `n`. Rates of many calls are pooled by adding both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hits: int = 0
    n: int = 0

    def __add__(self, other: Rate) -> Rate:
        return Rate(hits=self.hits + other.hits, n=self.n + other.n)

    @property
    def value(self) -> float | None:
        """None of nothing."""
        return self.hits / self.n if self.n else None


class Measures(BaseModel):
    """The figures of one call. The room of scores owns this file and may add fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    v2v_ms: list[float] = []
    """Voice-to-voice latency of every answered turn, inside reading."""
    v2v_outside_ms: list[float] = []
    """The same from the recording."""
    stages_ms: dict[str, list[float]] = {}
    """Waterfall stage -> its time in every answered turn."""
    engine_ms: list[float] = []
    """Engine-added latency."""
    greeting_ms: list[float] = []
    responses: Rate = Rate()
    """Caller turns answered before the caller speaks again."""
    yields: Rate = Rate()
    """Real interruptions after which the agent stops within 2 s."""
    yield_ms: list[float] = []
    false_interruptions: Rate = Rate()
    """Sounds that want no answer and made the agent stop or reply; selectivity is the rest."""
    agent_interruptions: Rate = Rate()
    """Agent segments that start during caller speech, of caller turns; can exceed 1."""
    overlap_ms: float = 0.0
    turn_scores: list[float] = []
    words: int = 0
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0
    utterance_wer: list[float] = []
    negation_flips: int = 0
    entities: Rate = Rate()
    tools: Rate = Rate()
    """Tool validity: well-formed calls of all calls."""
    dropouts: int = 0
    clipped: int = 0
    loops: int = 0
    cut_offs: int = 0
    cost_usd: float | None = None
    call_s: float = 0.0
