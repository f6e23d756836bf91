"""One conversation, from answer to hang-up: it owns its parts, its events and its record.

call = Call(agent, transport, record=Path("calls"))
call.subscribe(print)
ended = await call.run()
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from loguru import logger
from pipecat.frames.frames import (
    InterruptionFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)

from voicebot import clock, events, providers
from voicebot.agent import Agent
from voicebot.brain import Brain, HandOver, HangUp, Output
from voicebot.brain.mind import open_brain
from voicebot.deeds import event_of
from voicebot.media import vad
from voicebot.media.ear import Ear
from voicebot.media.playout import Playout
from voicebot.pipeline import BrainProcessor, CallerTurnFrame, CallPipeline, GreetFrame, HeardFrame, MouthProcessor
from voicebot.store.record import Record
from voicebot.stt import STT, Transcript
from voicebot.transports import Transport
from voicebot.tts import TTS
from voicebot.turns import smart_turn
from voicebot.turns.floor import Ending, Floor

Face = Callable[[events.Event], None]
Reason = Literal["caller_hung_up", "agent_hung_up", "handed_over", "input_ended", "interrupted", "failed"]
AnyEvent = TypeVar("AnyEvent", bound=events.Event)

SILENCES = 3
"""The agent hangs up when the caller has been silent this often in a row."""


def new_id() -> str:
    """Sorts by time, tells when, and two calls never share it."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


class Call:
    """One call between a caller (the transport) and an agent."""

    def __init__(
        self,
        agent: Agent,
        transport: Transport,
        *,
        record: Path | None = None,
        stt: STT | None = None,
        tts: TTS | None = None,
        brain: Brain | None = None,
    ) -> None:
        """`record` is the folder that gets a folder for this call; None keeps no record.

        `stt`, `tts` and `brain` stand in for what the agent file names.
        """
        self.id = new_id()
        self.agent = agent
        self.transport = transport
        self.folder = record / self.id if record else None
        self._faces: list[Face] = []
        self._record: Record | None = None
        self._turn = 0
        self._reply_turn = 0
        self._silences = 0
        self._answered_at = 0.0
        self._after_reply: tuple[Reason, str] | None = None
        self._idle: asyncio.TimerHandle | None = None
        spoken = transport.rate_hz > 0
        self._stt = (stt or providers.open_stt(agent)) if spoken else None
        self._tts = (tts or providers.open_tts(agent)) if spoken else None
        self._brain = brain or open_brain(agent, self.id)

    def subscribe(self, face: Face) -> None:
        """`face(event)` is called on the event loop for every event from now on; it must be quick."""
        self._faces.append(face)

    async def run(self) -> events.CallEnded:
        """The whole call. Returns how it ended; cancelling it ends the call as interrupted."""
        await self._load()
        if self.folder:
            self._record = Record(self.folder, self.transport.rate_hz, self.agent.source)
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[tuple[Reason, str]] = loop.create_future()
        self._answered_at = loop.time()
        self._assemble()
        self._emit_start()
        reason: Reason = "failed"
        detail = ""
        try:
            reason, detail = await self._converse()
        except asyncio.CancelledError:
            reason = "interrupted"
            raise
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            raise
        finally:
            ended = await asyncio.shield(self._close(reason, detail))
        return ended

    async def _load(self) -> None:
        """Models into memory, once per process and off the event loop."""
        loop = asyncio.get_running_loop()
        if self._stt and self._tts:
            await asyncio.gather(
                loop.run_in_executor(None, vad.silero), smart_turn.load(), self._stt.load(), self._tts.load()
            )
        await loop.run_in_executor(None, _settle_down)

    def _assemble(self) -> None:
        self._playout = Playout(self.transport, self)
        mouth = MouthProcessor(self._tts, self._playout, self.transport.rate_hz, self)
        self._pipeline = CallPipeline(BrainProcessor(self._brain, self), mouth)
        self._floor: Floor | None = None
        if self._stt:
            stt, rate_hz = self._stt, self.transport.rate_hz
            self._floor = Floor(
                self.agent.voice.turns,
                lambda floor: Ear(rate_hz, floor),
                lambda on_interim: stt.stream(rate_hz, on_interim),
                self._playout,
                self,
            )

    async def _converse(self) -> tuple[Reason, str]:
        await self._pipeline.start()
        self._playout.begin()
        self._pipeline.send(GreetFrame())
        caller = asyncio.create_task(self.transport.run(self))
        either: set[asyncio.Future[Any]] = {caller, self._ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return self._ended.result() if self._ended.done() else (caller.result(), "")
        finally:
            caller.cancel()
            await asyncio.gather(caller, return_exceptions=True)

    async def _close(self, reason: Reason, detail: str) -> events.CallEnded:
        self._cancel_idle()
        if self._playout.busy:
            self._stop_reply()
        await self._pipeline.close()
        if self._floor:
            await self._floor.close()
        for late in await self._brain.close():
            self.brain_did(late)
        ended = self._emit(events.CallEnded, reason=reason, detail=detail)
        if self._record:
            await self._record.close()
        return ended

    # -- the transport's Ear -----------------------------------------------------------------------------------------

    def audio(self, pcm: bytes) -> None:
        if self._record:
            self._record.caller(pcm)
        if self._floor:
            self._floor.ear.audio(pcm)

    def text(self, text: str) -> None:
        self._turn += 1
        self._cancel_idle()
        if self._playout.busy:
            self.barge_in()
        now_ms = self.now_ms()
        self.turn_ended(Ending(text, "typed", now_ms, now_ms))

    # -- the floor's Conversation ------------------------------------------------------------------------------------

    def now_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._answered_at) * 1000

    def settles(self, text: str) -> bool:
        return self._brain.settles(text)

    def caller_began(self, speech_start_ms: float) -> None:
        self._turn += 1
        self._cancel_idle()
        self._emit(events.CallerSpeechStarted, speech_start_ms=speech_start_ms)
        self._pipeline.send(UserStartedSpeakingFrame())

    def caller_paused(self, speech_end_ms: float) -> None:
        self._emit(events.CallerSpeechStopped, speech_end_ms=speech_end_ms)

    def caller_saying(self, text: str) -> None:
        self._emit(events.TranscriptInterim, text=text)

    def caller_said(self, transcript: Transcript) -> None:
        self._silences = 0
        self._emit(events.TranscriptFinal, text=transcript.text, confidence=transcript.confidence)
        self._pipeline.send(TranscriptionFrame(transcript.text, "caller", datetime.now().isoformat()))

    def nothing_said(self) -> None:
        self._turn -= 1
        self._pipeline.send(UserStoppedSpeakingFrame())
        if not self._playout.busy:
            self._wait_for_caller()

    def agent_paused(self, speech_start_ms: float) -> None:
        if self._playout.speaking:
            self._emit(events.AgentPaused, speech_start_ms=speech_start_ms)

    def agent_resumed(self) -> None:
        if self._playout.speaking:
            self._emit(events.AgentResumed)

    def barge_in(self) -> None:
        if self._playout.speaking:
            self._emit(events.BargeIn, heard=self._playout.heard())
        heard = self._stop_reply()
        self._after_reply = None
        self._pipeline.send(InterruptionFrame(), HeardFrame(heard, interrupted=True))

    def turn_ended(self, ending: Ending) -> None:
        self._emit(
            events.TurnEnded,
            text=ending.text,
            reason=ending.reason,
            probability=ending.probability,
            speech_end_ms=ending.speech_end_ms,
            decided_ms=ending.decided_ms,
        )
        self._pipeline.send(UserStoppedSpeakingFrame())
        self._answer(ending.text)

    def failed(self, kind: Literal["stt", "llm", "tts", "turn"], error: BaseException) -> None:
        logger.opt(exception=error).debug("provider failed")
        parts = {"stt": self._stt, "llm": self._brain, "tts": self._tts}
        provider = getattr(parts.get(kind), "name", "smart-turn")
        self._emit(events.ProviderFailed, kind=kind, provider=provider, error=f"{type(error).__name__}: {error}")

    def _answer(self, text: str) -> None:
        self._reply_turn = self._turn
        self._playout.begin()
        self._pipeline.send(CallerTurnFrame(text))

    def _stop_reply(self) -> str:
        """The reply ends here. Returns what was heard of it."""
        spoke, said = self._playout.speaking, self._playout.said
        heard = self._playout.drop()
        if spoke:
            self._emit(events.AgentSpeechStopped, self._reply_turn, heard=heard, said=said, interrupted=True)
        return heard

    # -- the pipeline's Narrator -------------------------------------------------------------------------------------

    def first_token(self) -> None:
        self._emit(events.FirstToken, self._reply_turn)

    def first_clause(self) -> None:
        self._emit(events.FirstClause, self._reply_turn)

    def first_audio(self) -> None:
        self._emit(events.FirstAudio, self._reply_turn)

    def brain_did(self, output: Output) -> None:
        if told := event_of(output):
            kind, fields = told
            self._emit(kind, self._reply_turn, **fields)
        if isinstance(output, HandOver):
            self._after_reply = ("handed_over", output.to)
        elif isinstance(output, HangUp):
            self._after_reply = ("agent_hung_up", output.reason)

    # -- the playout's Follower --------------------------------------------------------------------------------------

    def agent_started(self) -> None:
        self._emit(events.AgentSpeechStarted, self._reply_turn)

    def agent_clause(self, text: str, starts_in_ms: float, length_ms: float) -> None:
        starts_ms = self.now_ms() + starts_in_ms
        ends_ms = starts_ms + length_ms
        self._emit(events.AgentSaying, self._reply_turn, text=text.strip(), starts_ms=starts_ms, ends_ms=ends_ms)

    def agent_audio(self, pcm: bytes) -> None:
        if self._record:
            self._record.agent(pcm)

    def agent_silenced(self) -> None:
        if self._record:
            self._record.agent_silenced()

    def agent_finished(self) -> None:
        said = self._playout.said
        self._emit(events.AgentSpeechStopped, self._reply_turn, heard=said, said=said, interrupted=False)
        self._pipeline.send(HeardFrame(said))
        if self._after_reply:
            self._end(*self._after_reply)
        elif self._floor:
            self._floor.agent_finished()
            self._wait_for_caller()

    # -- silence, and the end ----------------------------------------------------------------------------------------

    def _wait_for_caller(self) -> None:
        self._cancel_idle()
        if self._floor and not self._floor.caller_has_it:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self.agent.voice.turns.idle, self._caller_is_silent)

    def _caller_is_silent(self) -> None:
        self._silences += 1
        self._emit(events.CallerSilent, times=self._silences)
        if self._silences >= SILENCES:
            self._end("agent_hung_up", "the caller was silent")
        else:
            self._answer("")

    def _cancel_idle(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def _end(self, reason: Reason, detail: str) -> None:
        if not self._ended.done():
            self._ended.set_result((reason, detail))

    # -- events ------------------------------------------------------------------------------------------------------

    def _emit_start(self) -> None:
        self._emit(
            events.CallStarted,
            call_id=self.id,
            agent=self.agent.name,
            agent_sha256=self.agent.sha256,
            started_at=datetime.now().astimezone().isoformat(timespec="milliseconds"),
            transport=self.transport.name,
            caller=self.transport.caller,
            rate_hz=self.transport.rate_hz,
            clock=clock.name(),
            stt=self._stt.name if self._stt else "",
            tts=self._tts.name if self._tts else "",
            brain=self._brain.name,
            versions=_versions(),
            pid=os.getpid(),
        )

    def _emit(self, kind: type[AnyEvent], turn: int | None = None, /, **fields: Any) -> AnyEvent:
        event = kind(t_ms=round(self.now_ms(), 3), turn=self._turn if turn is None else turn, **fields)
        if self._record:
            self._record.event(event)
        for face in list(self._faces):
            try:
                face(event)
            except Exception:  # noqa: BLE001 - a broken face must not end the call; it is told once and left out
                logger.exception(f"a face failed on {event.type} and is dropped")
                self._faces.remove(face)
        return event


@cache
def _settle_down() -> None:
    """Before the first call of the process: what is loaded stays, so the garbage collector need not walk it again.

    A full collection with the engine in memory takes 90 ms, and would come in the middle of calls.
    """
    _versions()
    gc.collect()
    gc.freeze()


@cache
def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("voicebot", "pipecat-ai", "langgraph")}
