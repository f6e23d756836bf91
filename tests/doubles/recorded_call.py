"""A call folder as the engine leaves it behind, built without an engine.

call = RecordedCall().greets("Hello?").turn("a cleaning please", "What day suits you?").ended()
folder = call.write(project / "calls")
"""

from __future__ import annotations

import os
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from voicebot.events import (
    AgentPaused,
    AgentResumed,
    AgentSaying,
    AgentSpeechStarted,
    AgentSpeechStopped,
    BargeIn,
    BrainMoved,
    CallEnded,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallStarted,
    Event,
    FirstAudio,
    FirstClause,
    FirstToken,
    ModelUsed,
    ToolCalled,
    ToolReturned,
    TranscriptFinal,
    TranscriptInterim,
    TurnEnded,
)

WORD_MS = 320.0
EndReason = Literal["caller_hung_up", "agent_hung_up", "handed_over", "input_ended", "interrupted", "failed"]


@dataclass(frozen=True)
class Took:
    """How long each stage of a reply took, ms."""

    silence: float = 200.0
    turn: float = 30.0
    stt: float = 95.0
    brain: float = 6.0
    clause: float = 2.0
    voice: float = 11.0
    playback: float = 20.0

    @property
    def v2v(self) -> float:
        return self.silence + self.turn + self.stt + self.brain + self.clause + self.voice + self.playback


@dataclass
class RecordedCall:
    call_id: str = "20261122-101500-ab12"
    agent: str = "Bright Smile Dental"
    caller: str = "nina"
    started_at: str = "2026-11-22T10:15:00+00:00"
    transport: str = "link"
    pid: int = field(default_factory=os.getpid)
    events: list[Event] = field(default_factory=list)
    now_ms: float = 0.0
    turns: int = 0

    def __post_init__(self) -> None:
        self.events.append(
            CallStarted(
                t_ms=0,
                call_id=self.call_id,
                agent=self.agent,
                agent_sha256="0" * 64,
                started_at=self.started_at,
                transport=self.transport,
                caller=self.caller,
                rate_hz=16000,
                clock="skip-idle",
                stt="sphinx",
                tts="espeak",
                brain="flow",
                pid=self.pid,
            )
        )

    def greets(self, text: str) -> RecordedCall:
        self.now_ms += 15
        self.events.append(FirstAudio(t_ms=self.now_ms))
        self._speaks(text)
        return self

    def turn(
        self,
        caller: str,
        agent: str | None,
        *,
        took: Took | None = None,
        tool: tuple[str, dict[str, Any], Any] | None = None,
        heard: str | None = None,
        reason: Literal["smart_turn", "text", "silence", "typed"] = "smart_turn",
        filler: str = "",
        used: tuple[int, int, int, float | None] | None = None,
    ) -> RecordedCall:
        """The caller says `caller`, the agent answers `agent` (None: nobody answers), of which `heard` is heard.

        A second before the answer it says `filler`. `used` is what a model took: tokens of input, of them cached, of
        output, and dollars.
        """
        took = took or Took()
        self.turns += 1
        self._caller_speaks(caller, took, reason)
        if tool is not None:
            self._tool(*tool)
        if filler:
            self._fills(filler)
        if agent is None:
            self.now_ms += 1500
            return self
        self.now_ms += took.brain
        self._add(FirstToken(t_ms=self.now_ms, turn=self.turns))
        self.now_ms += took.clause
        self._add(FirstClause(t_ms=self.now_ms, turn=self.turns))
        self.now_ms += took.voice
        self._add(FirstAudio(t_ms=self.now_ms, turn=self.turns))
        self.now_ms += took.playback
        if used:
            self._used(*used)
        self._speaks(agent, heard, behind_filler=bool(filler))
        return self

    def backchannel(self) -> RecordedCall:
        """A cough under the agent's last reply: paused and resumed."""
        at = self.now_ms - 700
        stopped = self.events.pop()
        self._add(AgentPaused(t_ms=at, turn=self.turns, speech_start_ms=at - 100))
        self._add(AgentResumed(t_ms=at + 400, turn=self.turns))
        self._add(stopped)
        return self

    def ended(self, reason: EndReason = "agent_hung_up", detail: str = "") -> RecordedCall:
        self.now_ms += 300
        self._add(CallEnded(t_ms=self.now_ms, turn=self.turns, reason=reason, detail=detail))
        return self

    def write(self, calls: Path, *, audio: bool = True) -> Path:
        """Write `<calls>/<id>/` with its events, audio (left 440 Hz-ish caller, right silent) and agent file."""
        folder = calls / self.call_id
        folder.mkdir(parents=True)
        lines = "".join(event.model_dump_json() + "\n" for event in self.events)
        (folder / "events.jsonl").write_text(lines, encoding="utf-8")
        (folder / "agent.yaml").write_text(f"name: {self.agent}\n", encoding="utf-8")
        if audio:
            with wave.open(str(folder / "call.wav"), "wb") as out:
                out.setnchannels(2)
                out.setsampwidth(2)
                out.setframerate(16000)
                out.writeframes(b"\x10\x00\x00\x00" * int(16 * self.now_ms))
        return folder

    def _caller_speaks(self, text: str, took: Took, reason: Literal["smart_turn", "text", "silence", "typed"]) -> None:
        start = self.now_ms + 500
        words = text.split()
        end = start + WORD_MS * len(words)
        if reason == "typed":
            self.now_ms = end
            typed: dict[str, Any] = {"t_ms": end, "turn": self.turns, "speech_end_ms": end, "decided_ms": end}
            self._add(TurnEnded(**typed, text=text, reason=reason))
            return
        self._add(CallerSpeechStarted(t_ms=start + 120, turn=self.turns, speech_start_ms=start))
        for n in range(1, len(words)):
            self._add(TranscriptInterim(t_ms=start + WORD_MS * n, turn=self.turns, text=" ".join(words[:n])))
        self.now_ms = end + took.silence
        self._add(CallerSpeechStopped(t_ms=self.now_ms, turn=self.turns, speech_end_ms=end))
        self.now_ms += took.turn
        decided = self.now_ms
        self.now_ms += took.stt
        at: dict[str, Any] = {"t_ms": self.now_ms, "turn": self.turns, "text": text}
        self._add(TranscriptFinal(**at))
        self._add(TurnEnded(**at, reason=reason, speech_end_ms=end, decided_ms=decided))

    def _tool(self, name: str, arguments: dict[str, Any], result: Any) -> None:
        tool_id = f"t{len(self.events)}"
        at: dict[str, Any] = {"t_ms": self.now_ms, "turn": self.turns}
        self._add(ToolCalled(**at, id=tool_id, name=name, arguments=arguments))
        self._add(ToolReturned(**at, id=tool_id, name=name, ok=True, result=result, duration_ms=3.5))
        self._add(BrainMoved(**at, node="confirm", slots=arguments))

    def _fills(self, text: str) -> None:
        self.now_ms += 800
        at: dict[str, Any] = {"t_ms": self.now_ms, "turn": self.turns, "filler": True}
        self._add(AgentSpeechStarted(**at))
        self._add(AgentSaying(**at, text=text, starts_ms=self.now_ms, ends_ms=self.now_ms + 600))
        self.now_ms += 1000

    def _used(self, sent: int, cached: int, answered: int, cost_usd: float | None) -> None:
        tokens: dict[str, Any] = {"input_tokens": sent, "cached_tokens": cached, "output_tokens": answered}
        at: dict[str, Any] = {"t_ms": self.now_ms, "turn": self.turns}
        self._add(ModelUsed(**at, provider="openai/gpt-4.1-mini", **tokens, cost_usd=cost_usd))

    def _speaks(self, text: str, heard: str | None = None, *, behind_filler: bool = False) -> None:
        if not behind_filler:
            self._add(AgentSpeechStarted(t_ms=self.now_ms, turn=self.turns))
        for clause in _clauses(text):
            ends = self.now_ms + WORD_MS * len(clause.split())
            self._add(AgentSaying(t_ms=self.now_ms, turn=self.turns, text=clause, starts_ms=self.now_ms, ends_ms=ends))
            self.now_ms = ends
        if heard is not None:
            self.now_ms -= WORD_MS * (len(text.split()) - len(heard.split()))
            self._add(BargeIn(t_ms=self.now_ms, turn=self.turns, heard=heard))
        self._add(
            AgentSpeechStopped(
                t_ms=self.now_ms,
                turn=self.turns,
                heard=text if heard is None else heard,
                said=text,
                interrupted=heard is not None,
            )
        )

    def _add(self, event: Event) -> None:
        self.events.append(event)


def _clauses(text: str) -> list[str]:
    clauses = text.replace("? ", "?|").replace(". ", ".|").replace(", ", ",|").split("|")
    return [clause for clause in clauses if clause]


def booking(call_id: str = "20261122-101500-ab12", **about: Any) -> RecordedCall:
    """A whole friendly call: a slot is found, the caller interrupts once, the appointment is booked."""
    return (
        RecordedCall(call_id=call_id, **about)
        .greets("Bright Smile Dental, this is Ava. How can I help?")
        .turn("hi i would like to book a cleaning", "Of course. What day suits you?")
        .turn(
            "tuesday morning please",
            "On Tuesday I have nine thirty, ten fifteen, or eleven. Which one would you like?",
            took=Took(turn=310.0, stt=110.0, voice=14.0),
            tool=("find_slot", {"day": "2026-11-24", "part": "morning"}, ["09:30", "10:15", "11:00"]),
            heard="On Tuesday I have nine thirty,",
            reason="silence",
        )
        .turn("nine thirty is fine", "Nine thirty it is. May I have your name?")
        .backchannel()
        .turn(
            "nina lopez",
            "Thank you, Nina. You are booked for Tuesday at nine thirty. Goodbye!",
            tool=("book", {"day": "2026-11-24", "time": "09:30", "name": "Nina Lopez"}, {"ok": True, "id": 17}),
        )
        .ended()
    )
