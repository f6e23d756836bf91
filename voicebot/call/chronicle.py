"""What a call only tells: the events of its parts that have no consequence in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from loguru import logger

from voicebot import clock, events
from voicebot.brain import Moved
from voicebot.call.telling import AnyEvent, Telling
from voicebot.flow import Flow
from voicebot.logs import InCall
from voicebot.media.playout import Playout


class Chronicle:
    """The telling half of a call. Whoever inherits sets what has no value here."""

    _playout: Playout
    _named: dict[str, Any]
    """'stt', 'llm', 'tts': what does it now."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._counted: Callable[[Any], object] = lambda event: None
        """Is given every event that was told."""
        self._turn = 0
        self._reply_turn = 0
        """The turn that the agent answers, or has answered."""
        self._answered_at = 0.0

    def now_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._answered_at) * 1000

    @property
    def place(self) -> InCall:
        """For the log: lines that are written about this call from outside."""
        return self._telling.place

    def note(self, kind: type[AnyEvent], /, **fields: Any) -> AnyEvent:
        """Something that happened beside the conversation: on the line, or to the record."""
        return self._emit(kind, None, **fields)

    def _emit(self, kind: type[AnyEvent], turn: int | None = None, /, **fields: Any) -> AnyEvent:
        turn = self._turn if turn is None else turn
        event = kind(t_ms=round(self.now_ms(), 3), lag_ms=clock.lag_ms(), turn=turn, **fields)
        event = self._telling.tell(event)
        self._counted(event)
        return event

    # -- of the record -----------------------------------------------------------------------------------------------

    def pause_record(self, why: str) -> None:
        """Neither sound nor words of the caller are kept, until `resume_record` with the same `why`."""
        if self._telling.off_record.pause(why):
            self._emit(events.RecordingChanged, state="paused", why=why)

    def resume_record(self, why: str) -> None:
        if self._telling.off_record.resume(why):
            self._emit(events.RecordingChanged, state="resumed", why=why)

    def _keep_secrets(self, flow: Flow | None, moved: Moved) -> None:
        """The flow asks for something that is to be in no record, or is done with it."""
        for name, slot in flow.slots.items() if flow else ():
            if slot.secret:
                value = moved.slots.get(name)
                self._telling.off_record.learn(value)
                asked = moved.node.rpartition(".")[2]
                is_open = asked == name or (asked == "confirm" and value is not None)
                (self.pause_record if is_open else self.resume_record)(name)

    # -- of the caller -----------------------------------------------------------------------------------------------

    def caller_paused(self, speech_end_ms: float) -> None:
        self._emit(events.CallerSpeechStopped, speech_end_ms=speech_end_ms)

    def caller_saying(self, text: str) -> None:
        self._emit(events.TranscriptInterim, text=text)

    # -- of the agent's reply ----------------------------------------------------------------------------------------

    def first_token(self) -> None:
        self._emit(events.FirstToken, self._reply_turn)

    def first_clause(self) -> None:
        self._emit(events.FirstClause, self._reply_turn)

    def first_audio(self) -> None:
        self._emit(events.FirstAudio, self._reply_turn)

    def agent_started(self, *, filler: bool) -> None:
        self._emit(events.AgentSpeechStarted, self._reply_turn, filler=filler)

    def agent_clause(self, text: str, starts_in_ms: float, length_ms: float, *, filler: bool) -> None:
        starts_ms = round(self.now_ms() + starts_in_ms, 3)
        ends_ms = round(starts_ms + length_ms, 3)
        said = {"text": text.strip(), "starts_ms": starts_ms, "ends_ms": ends_ms, "filler": filler}
        self._emit(events.AgentSaying, self._reply_turn, **said)

    def agent_paused(self, speech_start_ms: float) -> None:
        if self._playout.speaking:
            self._emit(events.AgentPaused, speech_start_ms=speech_start_ms)

    def agent_resumed(self) -> None:
        if self._playout.speaking:
            self._emit(events.AgentResumed)

    def agent_audio(self, pcm: bytes) -> None:
        """s16le that the caller will hear behind what they have been given."""
        self._telling.agent(pcm)

    def agent_silenced(self) -> None:
        """What they have been given and not heard, they will not."""
        self._telling.agent_silenced()

    # -- of providers ------------------------------------------------------------------------------------------------

    def failed(self, kind: Literal["stt", "llm", "tts", "turn"], error: BaseException) -> None:
        logger.opt(exception=error).debug("provider failed")
        self._replaced(kind, getattr(self._named.get(kind), "name", "smart-turn"), error, "")

    def _replaced(self, kind: str, provider: str, error: BaseException, remedy: str) -> None:
        """A provider failed, and what it left undone goes to the next one."""
        told = f"{type(error).__name__}: {error}"
        self._emit(events.ProviderFailed, kind=kind, provider=provider, error=told, remedy=remedy)

    def _speech_used(self, fields: dict[str, Any]) -> None:
        self._emit(events.SpeechUsed, self._reply_turn if fields["kind"] == "tts" else None, **fields)
