"""A recorded call in the forms other programs read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from voicebot.errors import BadInput
from voicebot.events import (
    AgentSaying,
    AgentSpeechStarted,
    AgentSpeechStopped,
    CallerSpeechStarted,
    ToolCalled,
    ToolReturned,
    TurnEnded,
)
from voicebot.store.calls import CallRecord

from .transcript import arguments, clock, short


@dataclass(frozen=True)
class Utterance:
    who: str
    start_ms: float
    end_ms: float
    text: str


def content(record: CallRecord, form: str) -> bytes:
    """The call as 'txt', 'json', 'srt' (text as UTF-8) or 'wav'. Raises BadInput for a wav that was not kept."""
    match form:
        case "txt":
            return _text(record).encode()
        case "json":
            return _json(record).encode()
        case "srt":
            return _subtitles(record).encode()
        case _:
            if record.audio is None:
                raise BadInput(f"{record.folder.name} has no recording: it was typed, or its audio was not kept.")
            return record.audio.read_bytes()


def utterances(record: CallRecord) -> list[Utterance]:
    """Both sides in the order in which they began; of the agent only what was heard."""
    return sorted([*_of_caller(record), *_of_agent(record)], key=lambda said: said.start_ms)


def _of_caller(record: CallRecord) -> Iterator[Utterance]:
    began: dict[int, float] = {}
    for event in record.events:
        if isinstance(event, CallerSpeechStarted):
            began[event.turn] = event.speech_start_ms  # the last one: a cough has its turn's number too
        elif isinstance(event, TurnEnded) and event.text:
            start_ms = began.get(event.turn, event.speech_end_ms)
            yield Utterance("caller", start_ms, max(event.speech_end_ms, start_ms), event.text)


def _of_agent(record: CallRecord) -> Iterator[Utterance]:
    began: float | None = None
    for event in record.events:
        if isinstance(event, AgentSpeechStarted):
            began = event.t_ms
        elif isinstance(event, AgentSpeechStopped) and event.heard:
            yield Utterance("agent", event.t_ms if began is None else began, event.t_ms, event.heard)
            began = None


def _text(record: CallRecord) -> str:
    lines = [(said.start_ms, f"{clock(said.start_ms)}  {said.who:<6}  {said.text}") for said in utterances(record)]
    called = {event.id: event for event in record.events if isinstance(event, ToolCalled)}
    for event in record.events:
        if isinstance(event, ToolReturned):
            given = arguments(called[event.id].arguments) if event.id in called else ""
            did = f"{event.name}({given}) -> {short(event.result, 200)}"
            lines.append((event.t_ms, f"{clock(event.t_ms)}  tool    {did}"))
    return "".join(f"{line}\n" for _, line in sorted(lines, key=lambda pair: pair[0]))


def _json(record: CallRecord) -> str:
    whole = {
        "call": record.folder.name,
        "started_at": record.started.started_at,
        "agent": record.started.agent,
        "caller": record.started.caller,
        "end": record.how_it_ended,
        "utterances": [asdict(said) for said in utterances(record)],
        "latency": [asdict(fall) for fall in record.waterfalls],
        "events": [event.model_dump(mode="json") for event in record.events],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _subtitles(record: CallRecord) -> str:
    """SubRip: clauses of the agent as they were spoken, turns of the caller; an interruption ends its subtitle."""
    cues = [*_of_caller(record), *_clauses(record)]
    blocks = [
        f"{number}\n{_stamp(cue.start_ms)} --> {_stamp(max(cue.end_ms, cue.start_ms + 1))}\n{cue.who}: {cue.text}\n"
        for number, cue in enumerate(sorted(cues, key=lambda cue: cue.start_ms), 1)
    ]
    return "\n".join(blocks)


def _clauses(record: CallRecord) -> Iterator[Utterance]:
    clauses: list[AgentSaying] = []
    for event in record.events:
        if isinstance(event, AgentSaying):
            clauses.append(event)
        elif isinstance(event, AgentSpeechStopped):
            for clause in clauses:
                if clause.starts_ms < event.t_ms:
                    yield Utterance("agent", clause.starts_ms, min(clause.ends_ms, event.t_ms), clause.text)
            clauses = []


def _stamp(t_ms: float) -> str:
    whole = max(round(t_ms), 0)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d},{whole % 1000:03d}"
