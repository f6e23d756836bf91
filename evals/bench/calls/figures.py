"""A measurement as figures. Every definition is in docs/bench-calls.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from voicebot.evals.bench.calls.caller import Reply
from voicebot.evals.bench.calls.level import Measured
from voicebot.latency import Percentiles, percentiles

_KEEPS_UP, _IN_TIME_MS = 0.95, 300.0


@dataclass(frozen=True)
class Figures:
    """One system at one number of calls. Latencies in milliseconds."""

    system: str
    calls: int
    window_s: float
    turns: int
    answered: int
    reply: Percentiles | None
    """From the reference VAD's stop to the first audio of the answer."""
    after_speech: Percentiles | None
    """From the last sound of the caller's to the first audio of the answer."""
    setup: Percentiles | None
    """From the connection to the first audio of the greeting, amid the other calls."""
    gap_ms: float
    """The longest time for which a caller's playback ran dry in the middle of a reply."""
    lost: dict[str, int]
    """Why calls were lost, and how many for that reason."""
    callers_late_ms: float
    cpu_s_per_call_minute: float | None
    memory_mb_per_call: float | None
    foreign: float | None
    """Share of the server's own cores that others used."""

    @property
    def lost_calls(self) -> int:
        return sum(self.lost.values())

    @property
    def keeps_up(self) -> bool:
        """What is asked of the floor. It is no agent, and may miss a turn by speaking into a pause; but
        where its models queue for longer than a conversation bears, they are too many for this core."""
        if self.reply is None or self.lost:
            return False
        return self.answered >= _KEEPS_UP * self.turns and self.reply.p95 <= _IN_TIME_MS

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def figures(measured: Measured) -> Figures:
    answered = [(reply, reply.first_audio) for reply in measured.replies if reply.first_audio is not None]
    minutes = measured.calls * measured.window_s / 60
    return Figures(
        system=measured.system,
        calls=measured.calls,
        window_s=measured.window_s,
        turns=len(measured.replies),
        answered=len(answered),
        reply=percentiles((first - reply.vad_stopped) * 1000 for reply, first in answered),
        after_speech=percentiles((first - reply.speech_ended) * 1000 for reply, first in answered),
        setup=percentiles(took_s * 1000 for took_s in measured.setups_s),
        gap_ms=_longest_gap_ms(measured.replies),
        lost=dict(Counter(measured.lost)),
        callers_late_ms=measured.callers_late_ms,
        cpu_s_per_call_minute=None if measured.cpu_s is None else measured.cpu_s / minutes,
        memory_mb_per_call=measured.memory_mb_per_call,
        foreign=None if measured.foreign_s is None else measured.foreign_s / measured.window_s,
    )


def _longest_gap_ms(replies: list[Reply]) -> float:
    return max((reply.gap_s * 1000 for reply in replies), default=0.0)


@dataclass(frozen=True)
class Added:
    """What an engine adds to the models' own time, in milliseconds."""

    p50: float
    p95: float
    beyond: str
    """'the bare models' under as many calls, or 'one turn model' by itself."""


def added(figures: Figures, floor: Figures | None, smart_turn_ms: float) -> Added | None:
    """Beyond the floor, where that keeps up with as many calls; else beyond a single run of the turn model.

    None where no turn was answered.
    """
    if figures.reply is None:
        return None
    if floor and floor.reply and floor.keeps_up:
        p50, p95 = figures.reply.p50 - floor.reply.p50, figures.reply.p95 - floor.reply.p95
        return Added(p50, p95, "the bare models")
    return strictly_added(figures, smart_turn_ms)


def strictly_added(figures: Figures, smart_turn_ms: float) -> Added | None:
    """Beyond a single run of the turn model on a machine that does nothing else."""
    if figures.reply is None:
        return None
    return Added(figures.reply.p50 - smart_turn_ms, figures.reply.p95 - smart_turn_ms, "one turn model")
