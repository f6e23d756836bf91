"""How fast an agent answers simulated callers, from the events of their calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from voicebot.events import AgentSpeechStarted, Event
from voicebot.latency import Percentiles, Waterfall, percentiles, real_ms, v2v_ms, waterfalls


@dataclass
class Pace:
    """The latencies of some calls, in milliseconds."""

    greetings_ms: list[float] = field(default_factory=list)
    """From the answer until the agent's first word is heard."""
    turns: list[Waterfall] = field(default_factory=list)

    def add(self, events: Sequence[Event]) -> None:
        """The events of one more call."""
        self.greetings_ms += [real_ms(e) for e in events if isinstance(e, AgentSpeechStarted) and e.turn == 0][:1]
        self.turns += waterfalls(events)

    @property
    def answered(self) -> int:
        return len(v2v_ms(self.turns))

    def rows(self) -> Iterable[tuple[str, Percentiles | None]]:
        """(what, its percentiles); the parts of V2V are those of METRICS: waiting + providers + engine."""
        spoken = [fall for fall in self.turns if fall.v2v_ms is not None]
        yield "greeting, first audio", percentiles(self.greetings_ms)
        yield "voice to voice", percentiles(v2v_ms(self.turns))
        yield "of it: waiting for the end of the turn", percentiles(fall.spent_ms("waiting") for fall in spoken)
        yield "of it: models and providers", percentiles(fall.spent_ms("provider") for fall in spoken)
        yield "of it: the engine", percentiles(fall.spent_ms("engine") for fall in spoken)
