"""The times of each reply, from the events: what the inside of the engine says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from voicebot import events
from voicebot.latency import decided_ms, real_ms, waterfalls

_Mark = events.FirstToken | events.FirstClause | events.FirstAudio


@dataclass
class Latencies:
    """One value a turn, in milliseconds; a turn without the events has none."""

    v2v: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    engine: list[float] = field(default_factory=list)
    ttft: list[float] = field(default_factory=list)
    ttfa: list[float] = field(default_factory=list)
    stt_final: list[float] = field(default_factory=list)
    end_of_turn: list[float] = field(default_factory=list)
    greeting: list[float] = field(default_factory=list)


def latencies(told: Sequence[events.Event]) -> Latencies:
    """Everything that can be read off."""
    found = Latencies()
    for fall in waterfalls(told):
        if fall.v2v_ms is None:
            continue
        found.v2v.append(fall.v2v_ms)
        if fall.stages:
            found.engine.append(fall.spent_ms("engine"))
        for stage in fall.stages:
            found.stages[stage.name].append(stage.duration_ms)
    by_turn: dict[int, list[events.Event]] = defaultdict(list)
    for event in told:
        by_turn[event.turn].append(event)
    for turn, its in sorted(by_turn.items()):
        _of_turn(its, found) if turn else found.greeting.extend(_greeting(its))
    return found


def _greeting(its: Iterable[events.Event]) -> list[float]:
    return [real_ms(event) for event in its if isinstance(event, events.AgentSpeechStarted)][:1]


def _of_turn(its: Sequence[events.Event], found: Latencies) -> None:
    ended = next((event for event in its if isinstance(event, events.TurnEnded)), None)
    if ended is None:
        return
    if ended.reason != "typed":
        found.end_of_turn.append(max(0.0, decided_ms(ended) - ended.speech_end_ms))
    finals = [real_ms(event) for event in its if isinstance(event, events.TranscriptFinal) and event.t_ms <= ended.t_ms]
    found.stt_final += [finals[-1] - ended.speech_end_ms] if finals else []
    token = _first(its, events.FirstToken)
    if token is not None:
        found.ttft.append(max(0.0, token - real_ms(ended)))
    clause, audio = _first(its, events.FirstClause), _first(its, events.FirstAudio)
    if clause is not None and audio is not None:
        found.ttfa.append(max(0.0, audio - clause))


def _first(its: Iterable[events.Event], kind: type[_Mark]) -> float | None:
    return next((real_ms(event) for event in its if isinstance(event, kind)), None)
