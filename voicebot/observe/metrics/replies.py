"""What of a call's events takes more than counting: silences in the middle of a reply, and who was at which stage."""

from __future__ import annotations

from collections.abc import Sequence

from voicebot.events import (
    AgentPaused,
    AgentResumed,
    AgentSaying,
    AgentSpeechStarted,
    AgentSpeechStopped,
    CallStarted,
    Event,
    KeysPressed,
    ModelUsed,
    SpeechUsed,
    ToolCalled,
    TurnEnded,
)
from voicebot.latency import StageName


class Gaps:
    """Silences between the words of one reply, each where the clause behind it is told.

    Sound is handed over ahead of time, so there is none as long as a clause is complete before the ones ahead of it
    have been played. Else it is what the caller heard of it, but never more than by how much the clause was late: when
    a clause begins to be heard is known up to the delay of the line only.
    """

    def __init__(self) -> None:
        self._played_ms: float | None = None
        """When all that was handed over will have been played, on a line without delay; None: nobody waits for more."""
        self._heard_ms: float | None = None
        """The end of the clause before, as it is heard; None at the beginning of a reply."""

    def take(self, event: Event) -> float:
        """The length of the silence before, or in, this clause, ms; 0 where there is none, or one is meant: while a
        tool runs, behind a filler, while the caller makes a sound."""
        match event:
            case AgentSpeechStarted():
                self._played_ms, self._heard_ms = (None if event.filler else event.t_ms), None
            case AgentSaying(filler=False):
                return self._said(event)
            case AgentSaying() | AgentPaused() | AgentResumed() | AgentSpeechStopped() | ToolCalled() | KeysPressed():
                self._played_ms = None
        return 0.0

    def _said(self, clause: AgentSaying) -> float:
        length_ms = clause.ends_ms - clause.starts_ms
        if self._played_ms is None:
            self._played_ms, self._heard_ms = clause.ends_ms, clause.ends_ms
            return 0.0
        if self._heard_ms is None:
            gap_ms = max(0.0, clause.t_ms - (self._played_ms + length_ms))
        else:
            gap_ms = max(0.0, min(clause.starts_ms - self._heard_ms, clause.t_ms - self._played_ms))
        self._played_ms, self._heard_ms = self._played_ms + gap_ms + length_ms, clause.ends_ms
        return gap_ms


def at_work(stage: StageName, turn: Sequence[Event], started: CallStarted | None) -> str:
    """Whose work this stage of the turn was: a provider's, or what decided. What the turn does not tell, the call's
    beginning does."""
    match stage:
        case "silence":
            return "vad"
        case "turn":
            return next((each.reason for each in reversed(turn) if isinstance(each, TurnEnded)), "")
        case "brain" | "clause":
            models = (each.provider for each in reversed(turn) if isinstance(each, ModelUsed))
            return next(models, started.brain if started else "")
        case "playback":
            return started.transport if started else ""
    kind = "stt" if stage == "stt" else "tts"
    speech = (each.provider for each in reversed(turn) if isinstance(each, SpeechUsed) and each.kind == kind)
    return next(speech, getattr(started, kind, ""))
