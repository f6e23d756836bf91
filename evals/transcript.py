"""What was said and done in a call, line by line with its time: the conversation as a reader wants to follow it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from voicebot import events
from voicebot.events.remarks import line_remark
from voicebot.personas.truth import Sound

Who = Literal["caller", "agent", "tool", "note"]

_LONGEST = 400
"""Characters of a tool's result, or of an error."""
_NEAR_MS = 250.0
"""How far the detector's idea of a turn's edges may lie from the truth's."""
_NOTICES = {
    "too_quiet": "the caller is too quiet",
    "clipping": "the caller's audio is clipped",
    "dropouts": "parts of the caller's audio are lost",
    "narrowband": "the caller's audio is narrowband",
}


@dataclass(frozen=True)
class Line:
    """One line. Times are milliseconds of the call."""

    who: Who
    start_ms: float
    end_ms: float
    text: str
    """Of the agent only what was heard; of the caller what the agent understood."""
    lost: str = ""
    """What the agent meant to say and the caller did not hear."""
    meant: str = ""
    """What the caller really said, where that is known and was understood differently."""
    bad: bool = False


def of(happened: Sequence[events.Event], sounds: Sequence[Sound]) -> list[Line]:
    """The lines of a call in order of time; of two at the same moment, in the order in which they were told."""
    caller = list(_caller(happened, sounds))
    turns = [line for _, line in caller]
    placed = [*caller, *_unanswered(turns, sounds), *_agent(happened), *_tools(happened), *_notes(happened)]
    return [line for _, line in sorted(placed, key=lambda pair: (pair[1].start_ms, pair[0]))]


def _caller(happened: Sequence[events.Event], sounds: Sequence[Sound]) -> Iterator[tuple[int, Line]]:
    began: dict[int, float] = {}
    for place, event in enumerate(happened):
        if isinstance(event, events.CallerSpeechStarted):
            began[event.turn] = event.speech_start_ms  # the last one: a cough has its turn's number too
        elif isinstance(event, events.TurnEnded):
            start = min(began.get(event.turn, event.speech_end_ms), event.speech_end_ms)
            said = [each.text for each in sounds if each.kind == "speech" and _meets(each, start, event.speech_end_ms)]
            meant = " ".join(said)
            differs = bool(meant) and _words(meant) != _words(event.text)
            text = event.text or "(nothing understood)"
            meant = meant if differs else ""
            yield place, Line("caller", start, event.speech_end_ms, text, meant=meant, bad=not event.text)


def _unanswered(turns: Sequence[Line], sounds: Sequence[Sound]) -> Iterator[tuple[int, Line]]:
    """Sounds that became no turn: murmurs, coughs, and speech that the agent did not notice."""
    for sound in sounds:
        if sound.kind == "speech" and any(_meets(sound, turn.start_ms, turn.end_ms) for turn in turns):
            continue
        name = sound.kind.replace("_", " ")
        text = f"“{sound.text}”" if sound.text else ""
        missed = sound.kind == "speech"
        told = f"{text} was not taken for a turn" if missed else f"{name} {text}".strip()
        yield 0, Line("note", sound.starts_ms, sound.ends_ms, f"caller: {told}", bad=missed)


def _agent(happened: Sequence[events.Event]) -> Iterator[tuple[int, Line]]:
    began: tuple[int, float] | None = None
    clauses: list[str] = []
    for place, event in enumerate(happened):
        if isinstance(event, events.AgentSpeechStarted):
            began = (place, event.t_ms)
        elif isinstance(event, events.AgentSaying):
            clauses.append(event.text)
        elif isinstance(event, events.AgentSpeechStopped):
            first, start = began or (place, event.t_ms)
            heard = event.heard if event.interrupted else event.said
            yield first, Line("agent", start, event.t_ms, heard, lost=_lost(event))
            began, clauses = None, []
    if began is not None:  # the record breaks off while it speaks
        yield began[0], Line("agent", began[1], began[1], " ".join([*clauses, "…"]), bad=True)


def _lost(stopped: events.AgentSpeechStopped) -> str:
    return " ".join(stopped.said.split()[len(stopped.heard.split()) :]) if stopped.interrupted else ""


def _tools(happened: Sequence[events.Event]) -> Iterator[tuple[int, Line]]:
    returned = {event.id: event for event in happened if isinstance(event, events.ToolReturned)}
    for place, event in enumerate(happened):
        if isinstance(event, events.ToolCalled):
            given = ", ".join(f"{name}={short(value)}" for name, value in event.arguments.items())
            end = returned.get(event.id)
            result = "no result" if end is None else f"{'' if end.ok else 'failed: '}{short(end.result)}"
            text = f"{event.name}({given}) → {result}"
            yield place, Line("tool", event.t_ms, end.t_ms if end else event.t_ms, text, bad=end is None or not end.ok)


def _notes(happened: Sequence[events.Event]) -> Iterator[tuple[int, Line]]:
    for place, event in enumerate(happened):
        if told := _note(event):
            text, bad = told
            yield place, Line("note", event.t_ms, event.t_ms, text, bad=bad)


def _note(event: events.Event) -> tuple[str, bool] | None:
    """(sentence, whether it is bad news) of what is worth a line."""
    match event:
        case events.AgentResumed():
            return "a sound, no interruption: the agent goes on", False
        case events.HandedOver():
            return f"handed over to {event.to}" + (f": {event.reason}" if event.reason else ""), False
        case events.ProviderFailed():
            return f"{event.kind} {event.provider} failed: {event.error[:_LONGEST]}", True
        case events.GuardrailHit():
            return f"guardrail {event.rail}: {event.kind} by the {event.side}, {event.action}", event.side == "agent"
        case events.BudgetReached():
            return f"budget of the {event.of}: ${event.spent_usd:.4f} of ${event.budget_usd:g}", event.over
        case events.KeysPressed():
            return f"the {event.side} pressed {event.keys}", False
        case events.CallerSilent():
            return "the caller is silent", False
        case events.AudioNotice():
            return _NOTICES[event.kind], True
        case events.CallerHeld() | events.CallerBack() | events.TransferMoved() | events.RecordingChanged():
            return line_remark(event), False
        case events.CallEnded():
            reason = event.reason.replace("_", " ")
            return f"end: {reason}" + (f", {event.detail}" if event.detail else ""), event.reason == "failed"
        case _:
            return None


def short(value: object, most: int = _LONGEST) -> str:
    """A value as compact JSON of at most `most` characters."""
    text = " ".join(json.dumps(value, ensure_ascii=False, default=str).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _meets(sound: Sound, start_ms: float, end_ms: float) -> bool:
    return sound.starts_ms < end_ms + _NEAR_MS and start_ms - _NEAR_MS < sound.ends_ms


def _words(text: str) -> list[str]:
    return "".join(each if each.isalnum() else " " for each in text.casefold().replace("'", "")).split()
