"""Where the time of a reply went: events in, per-turn waterfalls and percentiles out.

A waterfall cuts the voice-to-voice latency of one turn (end of the caller's speech to the agent's first sound) into
consecutive stages on the critical path. A stage runs from the mark before it to its own mark; a mark that was reached
early (a reply prepared before the turn was sure) costs nothing; a mark that was never set has no stage, and its time
belongs to the next one. So the parts always add up to the whole.

Latencies are differences of `real_ms`, the time of the conversation and what computing adds to it: what they would be
on the real clock of the machine on which the call ran.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from voicebot.events import (
    AgentSaying,
    AgentSpeechStarted,
    CallerSpeechStopped,
    Event,
    FirstAudio,
    FirstClause,
    FirstToken,
    ToolReturned,
    TranscriptFinal,
    TurnEnded,
)

Kind = Literal["waiting", "provider", "engine"]
StageName = Literal["silence", "turn", "stt", "brain", "clause", "voice", "playback"]

STAGES: tuple[StageName, ...] = ("silence", "turn", "stt", "brain", "clause", "voice", "playback")
"""Every stage in the order of the critical path."""

_KINDS: dict[StageName, Kind] = {
    "silence": "waiting",  # the VAD's silence wait
    "turn": "provider",  # -> it is decided that the turn is over; 'waiting' when the silence limit decided
    "stt": "provider",  # -> final transcript
    "brain": "provider",  # turn over -> first token
    "clause": "provider",  # -> first clause
    "voice": "provider",  # -> first audio of the TTS
    "playback": "engine",  # -> the caller hears it
}

_Mark = TurnEnded | CallerSpeechStopped | TranscriptFinal | FirstToken | FirstClause | FirstAudio


@dataclass(frozen=True)
class Stage:
    """One part of a reply's latency; `kind` says who is answerable for it."""

    name: StageName
    kind: Kind
    start_ms: float
    """From the end of the caller's speech."""
    duration_ms: float


@dataclass(frozen=True)
class ToolRun:
    name: str
    ok: bool
    duration_ms: float


@dataclass(frozen=True)
class Waterfall:
    """The latency of one caller turn."""

    turn: int
    text: str
    """What the caller said."""
    speech_end_ms: float
    """End of the caller's speech on the call's clock."""
    v2v_ms: float | None
    """Voice-to-voice latency; None when the turn was never answered, negative when the agent spoke too early."""
    stages: tuple[Stage, ...] = ()
    """In order; durations add up to `v2v_ms`. Empty without an answer and when it came too early."""
    tools: tuple[ToolRun, ...] = ()
    """Tools that ran for this turn, whether before the first sound or after it."""
    filler_ms: float | None = None
    """When a filler ("One moment.") was heard instead, from the end of the caller's speech. It is no answer: `v2v_ms`
    goes on to the answer itself."""

    def spent_ms(self, kind: Kind) -> float:
        """Time in stages of one kind. `engine` is METRICS.md's engine-added latency."""
        return sum(stage.duration_ms for stage in self.stages if stage.kind == kind)

    def rounded(self) -> list[tuple[Stage, int]]:
        """Stages with whole milliseconds that add up to the rounded whole."""
        return [(stage, round(stage.start_ms + stage.duration_ms) - round(stage.start_ms)) for stage in self.stages]


def real_ms(event: Event) -> float:
    """When the event would have happened on the real clock. On that clock it is its `t_ms`."""
    return event.t_ms + event.lag_ms


def decided_ms(ended: TurnEnded) -> float:
    """When it would have been decided on the real clock that the turn is over."""
    return ended.decided_ms + ended.decided_lag_ms


def heard_ms(clause: AgentSaying) -> float:
    """When the clause would have begun to be heard on the real clock.

    It has the lag with which it was handed over, less the time for which it then waited behind other words.
    """
    waited_ms = max(0.0, clause.starts_ms - clause.t_ms)
    return clause.starts_ms + max(0.0, clause.lag_ms - waited_ms)


def waterfalls(events: Iterable[Event]) -> list[Waterfall]:
    """One waterfall for each turn the caller ended, in order. The greeting is nobody's answer and has none."""
    by_turn: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_turn[event.turn].append(event)
    return [fall for turn in sorted(by_turn) if turn > 0 for fall in _of_turn(by_turn[turn])]


def _of_turn(events: list[Event]) -> list[Waterfall]:
    first_ended = next((i for i, event in enumerate(events) if isinstance(event, TurnEnded)), None)
    if first_ended is None:
        return []
    answered = next((i for i in range(first_ended, len(events)) if _answer_ms(events[i]) is not None), None)
    before = events[:answered]
    ended = next(event for event in reversed(before) if isinstance(event, TurnEnded))
    tools = tuple(ToolRun(e.name, e.ok, e.duration_ms) for e in events if isinstance(e, ToolReturned))
    answer_ms = None if answered is None else _answer_ms(events[answered])
    v2v_ms = None if answer_ms is None else answer_ms - ended.speech_end_ms
    stages = _stages(before, ended, v2v_ms) if v2v_ms is not None and v2v_ms >= 0 else ()
    return [Waterfall(ended.turn, ended.text, ended.speech_end_ms, v2v_ms, stages, tools, _filler_ms(before, ended))]


def _answer_ms(event: Event) -> float | None:
    """When the answer begins to be heard, if that is what the event tells: behind a filler, its clause does."""
    if isinstance(event, AgentSpeechStarted) and not event.filler:
        return real_ms(event)
    return heard_ms(event) if isinstance(event, AgentSaying) and not event.filler else None


def _filler_ms(before: list[Event], ended: TurnEnded) -> float | None:
    fillers = (real_ms(event) for event in before if isinstance(event, AgentSpeechStarted) and event.filler)
    return next((at_ms - ended.speech_end_ms for at_ms in fillers), None)


def _stages(before: list[Event], ended: TurnEnded, v2v_ms: float) -> tuple[Stage, ...]:
    marks: list[tuple[StageName, float | None]] = [
        ("silence", _last(before, CallerSpeechStopped)),
        ("turn", decided_ms(ended)),
        ("stt", _last(before, TranscriptFinal)),
        ("brain", _last(before, FirstToken)),
        ("clause", _last(before, FirstClause)),
        ("voice", _last(before, FirstAudio)),
        ("playback", ended.speech_end_ms + v2v_ms),
    ]
    stages: list[Stage] = []
    reached = 0.0
    for name, at in marks:
        if at is None:
            continue
        # Clamped between the mark before and the first sound: time is counted once, and only up to the answer.
        mark = v2v_ms if name == "playback" else min(max(reached, at - ended.speech_end_ms), v2v_ms)
        kind: Kind = "waiting" if name == "turn" and ended.reason == "silence" else _KINDS[name]
        stages.append(Stage(name, kind, reached, mark - reached))
        reached = mark
    return tuple(stages)


def _last(events: list[Event], kind: type[_Mark]) -> float | None:
    return next((real_ms(event) for event in reversed(events) if isinstance(event, kind)), None)


@dataclass(frozen=True)
class Percentiles:
    """A figure always comes with the number of values behind it."""

    n: int
    p50: float
    p95: float
    worst: float


def percentiles(values: Iterable[float]) -> Percentiles | None:
    """p50, p95 and the maximum by linear interpolation between ranks; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Percentiles(len(ordered), _quantile(ordered, 0.5), _quantile(ordered, 0.95), ordered[-1])


def _quantile(ordered: Sequence[float], q: float) -> float:
    rank = q * (len(ordered) - 1)
    low, high = math.floor(rank), math.ceil(rank)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def v2v_ms(falls: Iterable[Waterfall]) -> list[float]:
    """The voice-to-voice latencies of the turns that were answered."""
    return [fall.v2v_ms for fall in falls if fall.v2v_ms is not None]
