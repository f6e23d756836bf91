"""A call as lanes over one time axis: what sounded, which tool ran, and where each answer's time went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voicebot import events
from voicebot.evals.transcript import short
from voicebot.latency import Waterfall, waterfalls
from voicebot.personas.truth import Sound

NARROWEST_MS = 60.0
"""What is shorter is drawn this long, or nobody would see it."""


@dataclass(frozen=True)
class Bar:
    """A stretch of a lane, in milliseconds of the call."""

    start_ms: float
    end_ms: float
    kind: str
    """What it looks like: a CSS class, one of a closed set."""
    label: str
    """Written into it where there is room."""
    title: str
    """Told when it is pointed at."""


@dataclass(frozen=True)
class Lane:
    name: str
    bars: list[Bar]


def of(happened: Sequence[events.Event], sounds: Sequence[Sound]) -> list[Lane]:
    """The lanes that have something in them, from top to bottom."""
    lanes = [
        Lane("caller", [_sound(sound) for sound in sounds] or list(_turns(happened))),
        Lane("agent", list(_said(happened))),
        Lane("tools", list(_tools(happened))),
        Lane("latency", [bar for fall in waterfalls(happened) for bar in _stages(fall)]),
    ]
    return [lane for lane in lanes if lane.bars]


def _bar(start_ms: float, end_ms: float, kind: str, label: str, title: str = "") -> Bar:
    return Bar(start_ms, max(end_ms, start_ms + NARROWEST_MS), kind, label, title or label)


def _sound(sound: Sound) -> Bar:
    name = sound.kind.replace("_", " ")
    kind = sound.kind if sound.kind == "speech" else "aside"
    marks = ", ".join(mark for mark, on in (("interrupts", sound.interrupts), ("confused", sound.confused)) if on)
    title = f"{name}{f' ({marks})' if marks else ''}: {sound.text}" if sound.text else name
    label = f"✂ {sound.text}" if sound.interrupts else sound.text or name
    return _bar(sound.starts_ms, sound.ends_ms, "cut-in" if sound.interrupts else kind, label, title)


def _turns(happened: Sequence[events.Event]) -> Iterator[Bar]:
    """What the detector heard, where nobody wrote down the truth."""
    began: dict[int, float] = {}
    for event in happened:
        if isinstance(event, events.CallerSpeechStarted):
            began[event.turn] = event.speech_start_ms
        elif isinstance(event, events.TurnEnded):
            start = began.get(event.turn, event.speech_end_ms)
            yield _bar(start, event.speech_end_ms, "speech", event.text)


def _said(happened: Sequence[events.Event]) -> Iterator[Bar]:
    """Clauses as far as they were heard; where the caller cut in, the rest of the clause is drawn as lost."""
    clauses: list[events.AgentSaying] = []
    for event in happened:
        if isinstance(event, events.AgentSaying):
            clauses.append(event)
        elif isinstance(event, events.AgentSpeechStopped):
            for clause in clauses:
                yield from _clause(clause, event)
            clauses = []
    for clause in clauses:
        yield _bar(clause.starts_ms, clause.ends_ms, "agent", clause.text)


def _clause(clause: events.AgentSaying, stopped: events.AgentSpeechStopped) -> Iterator[Bar]:
    heard_until = min(clause.ends_ms, stopped.t_ms) if stopped.interrupted else clause.ends_ms
    if clause.starts_ms < heard_until:
        kind = "filler" if clause.filler else "agent"
        yield _bar(clause.starts_ms, heard_until, kind, clause.text)
    if heard_until < clause.ends_ms:
        yield _bar(max(heard_until, clause.starts_ms), clause.ends_ms, "lost", "", f"not heard: {clause.text}")


def _tools(happened: Sequence[events.Event]) -> Iterator[Bar]:
    returned = {event.id: event for event in happened if isinstance(event, events.ToolReturned)}
    for event in happened:
        if isinstance(event, events.ToolCalled):
            end = returned.get(event.id)
            failed = end is None or not end.ok
            title = f"{event.name}({short(event.arguments, 120)})"
            title += f" {end.duration_ms:.0f} ms" if end else " never returned"
            label = f"✕ {event.name}" if failed else event.name
            yield _bar(event.t_ms, end.t_ms if end else event.t_ms, "tool-failed" if failed else "tool", label, title)


def _stages(fall: Waterfall) -> Iterator[Bar]:
    if fall.v2v_ms is None:
        yield _bar(fall.speech_end_ms, fall.speech_end_ms, "no-answer", "✕", f"turn {fall.turn}: no answer")
        return
    for stage in fall.stages:
        if stage.duration_ms >= 1:
            start = fall.speech_end_ms + stage.start_ms
            title = f"turn {fall.turn}: {stage.name} {stage.duration_ms:.0f} ms of {fall.v2v_ms:.0f} ms"
            yield Bar(start, start + stage.duration_ms, stage.name, "", title)
