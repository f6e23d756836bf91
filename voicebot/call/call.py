"""The parts of one conversation, and what comes of their events."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipecat.frames.frames import (
    InterruptionFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)

from voicebot import clock, events, logs
from voicebot.agent import Agent
from voicebot.brain import Brain, Discreet, HandOver, HangUp, Moved, Output, ToolResult
from voicebot.brain.mind import open_brain
from voicebot.brain.watch import guard_of
from voicebot.call import opening
from voicebot.call.asides import After, Aside, Asides, PutsThrough, Through, Wait, through_of
from voicebot.call.cast import Cast
from voicebot.call.chronicle import Chronicle
from voicebot.call.deeds import event_of
from voicebot.call.opening import Reason
from voicebot.call.purse import Purse
from voicebot.call.telling import Face, Telling
from voicebot.media import quality
from voicebot.media.ear import Ear
from voicebot.media.hold_music import music
from voicebot.media.playout import Playout
from voicebot.pipeline import (
    AsideFrame,
    BrainProcessor,
    CallerTurnFrame,
    CallPipeline,
    GreetFrame,
    HeardFrame,
    LikelyTurnFrame,
    MouthProcessor,
)
from voicebot.store.record import open_record
from voicebot.stt import STT, Transcript
from voicebot.transports import Transport
from voicebot.tts import TTS
from voicebot.turns.filler import Hold
from voicebot.turns.floor import Ending, Floor
from voicebot.turns.keypad import Keypad
from voicebot.turns.on_hold import BACK, OnHold, WhyBack
from voicebot.turns.silence import SILENCES, Silence


class Call(Chronicle):
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
        call_id: str = "",
        traceparent: str = "",
    ) -> None:
        """`record` is the folder that gets a folder for this call; None keeps no record. Without `call_id` it is new.

        `stt`, `tts`, `brain` stand in for what the file names; `traceparent` is the header of who began the call.
        """
        self.id = call_id or opening.new_id()
        self.agent = agent
        self.transport = transport
        self.folder = record / self.id if record else None
        super().__init__(Telling(guard := guard_of(agent), traceparent))
        self._telling.place.call, self._telling.place.language = self.id, agent.language
        self.put_through: PutsThrough | None = None
        """Who asks others whether they take the call; None: it can only be handed over, and ends with that."""
        self._after_reply: After | None = None
        self._asides = Asides()
        self._purse = Purse(agent, self.id, self._emit, self)
        self._counted = self._purse.counted
        self._keypad = Keypad(self._entered)
        self._silence = Silence(agent.voice.turns.idle, self._caller_is_silent)
        spoken, rate_hz = transport.rate_hz > 0, transport.rate_hz
        hold_music = agent.root / agent.voice.hold_music if agent.voice.hold_music else None
        self._on_hold = OnHold(transport, self, partial(music, hold_music, rate_hz), partial(self.back, "forgotten"))
        self._cast = Cast(agent, partial(self._replaced, "stt"), partial(self._replaced, "tts"), self._speech_used)
        self._stt = (stt or self._cast.stt) if spoken else None
        self._tts = (tts or self._cast.tts) if spoken else None
        self._brain = brain or open_brain(agent, self.id, guard)
        self._named = {"stt": self._stt, "llm": self._brain, "tts": self._tts}

    def subscribe(self, face: Face) -> None:
        """`face(event)` is called on the event loop for every event from now on; it must be quick."""
        self._telling.subscribe(face)

    async def run(self) -> events.CallEnded:
        """The whole call. Returns how it ended; cancelling it ends the call as interrupted."""
        with logs.inside(self._telling.place):
            return await self._run()

    async def _run(self) -> events.CallEnded:
        await opening.load(self._stt, self._tts, self._telling)
        await self._purse.open()
        if self.folder:
            self._telling.record = open_record(self.folder, self.transport.rate_hz, self.agent.source)
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[tuple[Reason, str]] = loop.create_future()  # as it is: its record may be redacted
        clock.catch_up()
        self._answered_at = loop.time()
        self._assemble()
        about = opening.described(self.agent, self.transport, self._stt, self._tts, self._brain.name)
        self._emit(events.CallStarted, call_id=self.id, **about)
        ending: tuple[Reason, str] = ("failed", "")
        try:
            ending = await self._converse()
        except asyncio.CancelledError:
            ending = ("interrupted", "")
            raise
        except Exception as error:
            ending = ("failed", f"{type(error).__name__}: {error}")
            raise
        finally:
            ended = await asyncio.shield(self._close(*ending))
        return ended

    def _assemble(self) -> None:
        self._playout, recording = Playout(self.transport, self), self.agent.recording
        self._untold = recording.announce or "" if self.folder or recording.twilio else ""
        """That the call is recorded, until the caller has heard it."""
        mouth = MouthProcessor(self._tts, self._playout, self.transport.rate_hz, self)
        self._brain.on_finish(self._tool_finished)
        fills = self.agent.brain.filler if self._tts else None  # on a typed line there are no silences
        hold = partial(Hold, fills, self.agent.language, self._playout) if fills else None
        self._pipeline = CallPipeline(BrainProcessor(self._brain, self, hold), mouth)
        self._floor: Floor | None = None
        if self._stt:
            stt, rate_hz = self._stt, self.transport.rate_hz
            self._quality = quality.Quality(
                rate_hz, lambda kind, level: self._emit(events.AudioNotice, kind=kind, level=level)
            )
            ear, listen = partial(Ear, rate_hz), partial(stt.stream, rate_hz)
            self._floor = Floor(self.agent.voice.turns, ear, listen, self._playout, self)

    async def _converse(self) -> tuple[Reason, str]:
        await self._pipeline.start()
        if not self._purse.refuses():
            self._playout.begin()
            self._pipeline.send(GreetFrame(self._untold))
        caller = asyncio.create_task(self.transport.run(self))
        either: set[asyncio.Future[Any]] = {caller, self.ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return self.ended.result() if self.ended.done() else (caller.result(), "")
        finally:
            caller.cancel()
            await asyncio.gather(caller, return_exceptions=True)

    async def _close(self, reason: Reason, detail: str) -> events.CallEnded:
        self.end(reason, detail)
        self._silence.end()
        self._keypad.close()
        self._on_hold.end()
        if self._playout.busy:
            self._stop_reply()
        await self._pipeline.close()
        if self._floor:
            await self._floor.close()
        for late in await self._brain.close():
            self.brain_did(late)
        ended = self._emit(events.CallEnded, reason=reason, detail=detail)
        await self._telling.close()
        return ended

    # -- the transport's Ear -----------------------------------------------------------------------------------------

    def audio(self, pcm: bytes) -> None:
        self._telling.caller(pcm)
        if self._on_hold.on:
            pcm = bytes(len(pcm))
        if self._floor:
            self._floor.ear.audio(pcm)
            self._quality.hear(pcm, speaking=self._floor.ear.speaking, now_s=self.now_ms() / 1000)

    def text(self, text: str) -> None:
        self._turn += 1
        self._silence.end()
        if self._playout.busy:
            self.barge_in()
        now_ms = self.now_ms()
        self.turn_ended(Ending(text, "typed", now_ms, now_ms))

    def keys(self, keys: str) -> None:
        """Touch tones of the caller's; the agent is silent until the number is whole."""
        if self._on_hold.on:
            if BACK in keys:
                self.back("key")
            return
        self._silence.end()
        if self._playout.busy:
            self.barge_in()
        self._keypad.press(keys)

    def _entered(self, keys: str) -> None:
        self._emit(events.KeysPressed, self._turn + 1, side="caller", keys=keys)
        self.text(keys)

    # -- from outside the conversation, once the call has begun ------------------------------------------------------

    def interject(self, aside: Aside) -> None:
        """The agent says this when it next has the floor. Raises BadInput when too much waits."""
        if self.ended.done():
            return
        self._asides.add(aside)
        if aside.handed_to:
            self._emit(events.HandedOver, to=aside.handed_to, reason="")
        if aside.ending:
            self._take_back("ending")
        if not self._playout.busy:
            self._wait_for_caller()

    async def take_over(self, aside: Aside) -> None:
        """The agent says this now, whatever goes on, and hears nobody from then on: a machine has no turns."""
        floor, self._floor = self._floor, None
        self._silence.end()
        if floor:
            await floor.close()
        if not self.ended.done():
            if self._playout.busy:
                self._cut_short()
            self._speak_up(aside)

    def _speak_up(self, aside: Aside) -> None:
        if aside.text:
            self._reply_turn = self._turn
            self._after_reply = aside.ending
            self._playout.begin()
            self._pipeline.send(AsideFrame(aside.text, last=aside.ending is not None))
        elif aside.ending:
            self._afterwards(aside.ending)

    def _afterwards(self, after: After) -> None:
        """What comes behind the agent's words."""
        self._after_reply = None
        if isinstance(after, tuple):
            self.end(*after)
            return
        self._silence.end()
        if self._on_hold.begin():
            self._emit(events.CallerHeld, why="asked" if isinstance(after, Wait) else "transfer")
        if isinstance(after, Through) and self.put_through:
            self.put_through.ask(after)

    def back(self, why: WhyBack, text: str = "") -> None:
        """The agent is back with a caller who waits, and says this. Nothing happens when nobody waits."""
        if not self._take_back(why):
            return
        if text:
            self.interject(Aside(text))
        else:
            self._answer("")

    def _take_back(self, why: WhyBack) -> bool:
        waited_s = None if self.ended.done() else self._on_hold.end()
        if waited_s is not None:
            self._emit(events.CallerBack, why=why, waited_ms=round(waited_s * 1000, 3))
        return waited_s is not None

    # -- the floor's Conversation ------------------------------------------------------------------------------------

    def settles(self, text: str) -> bool:
        return self._brain.settles(text)

    def caller_began(self, speech_start_ms: float) -> None:
        self._turn += 1
        self._silence.end()
        self._emit(events.CallerSpeechStarted, speech_start_ms=speech_start_ms)
        self._pipeline.send(UserStartedSpeakingFrame())

    def caller_said(self, transcript: Transcript) -> None:
        self._silence.caller_spoke()
        self._emit(events.TranscriptFinal, text=transcript.text, confidence=transcript.confidence)
        self._pipeline.send(TranscriptionFrame(transcript.text, "caller", datetime.now().isoformat()))

    def turn_likely(self, text: str) -> None:
        self._pipeline.send(LikelyTurnFrame(text))

    def turn_unlikely(self) -> None:
        self._pipeline.send(LikelyTurnFrame(""))

    def nothing_said(self) -> None:
        self._turn -= 1
        self._pipeline.send(UserStoppedSpeakingFrame())
        if not self._playout.busy:
            self._wait_for_caller()

    def barge_in(self) -> None:
        if self._playout.speaking:
            self._emit(events.BargeIn, heard=self._playout.heard())
        self._cut_short()

    def _cut_short(self) -> None:
        self._stop_reply()
        self._asides.interrupted()
        if self._untold and self._untold not in self._playout.heard():
            self._asides.add(Aside(self._untold))
        self._after_reply = None
        self._pipeline.send(InterruptionFrame(), HeardFrame(self._playout.heard_answer(), interrupted=True))

    def turn_ended(self, ending: Ending) -> None:
        self._emit(events.TurnEnded, **vars(ending))
        self._pipeline.send(UserStoppedSpeakingFrame())
        self._take_back("spoke")
        self._answer(ending.text, self.now_ms() - ending.speech_end_ms)

    def _answer(self, text: str, silent_ms: float = 0.0) -> None:
        self._reply_turn = self._turn
        self._playout.begin()
        self._pipeline.send(CallerTurnFrame(text, silent_ms))

    def _stop_reply(self) -> None:
        """The reply ends here."""
        spoke, said = self._playout.speaking, self._playout.said
        heard = self._playout.drop()
        if spoke:
            self._emit(events.AgentSpeechStopped, self._reply_turn, heard=heard, said=said, interrupted=True)

    # -- the pipeline's Narrator, and the playout's Follower ---------------------------------------------------------

    def brain_did(self, output: Output) -> None:
        if isinstance(output, Moved):
            self._keep_secrets(self._cast.agent.flow, output)
        through = through_of(output, self._cast.agent, self.put_through)
        if through is None and (told := event_of(output)):
            kind, fields = told
            self._emit(kind, self._reply_turn, **fields)
        if through:
            self._after_reply = through
        elif isinstance(output, HandOver) and output.agent:
            self._cast.enter(output.agent)
        elif isinstance(output, HandOver):
            self._after_reply = ("handed_over", output.to)
        elif isinstance(output, HangUp):
            self._after_reply = ("agent_hung_up", output.reason)
        elif isinstance(output, Discreet):
            (self.pause_record if output.on else self.resume_record)("the agent")

    def _tool_finished(self, result: ToolResult) -> None:
        """One that ran in the background; the agent says so when nobody speaks."""
        self.brain_did(result)
        if not self._playout.busy and not self.ended.done():
            self._wait_for_caller()

    def agent_finished(self) -> None:
        said = self._playout.said
        self._emit(events.AgentSpeechStopped, self._reply_turn, heard=said, said=said, interrupted=False)
        self._pipeline.send(HeardFrame(self._playout.answer))
        self._untold = ""
        if self._after_reply:
            self._afterwards(self._after_reply)
            return
        if self._floor:
            self._floor.agent_finished()
        self._wait_for_caller()

    # -- silence, and the end ----------------------------------------------------------------------------------------

    def _wait_for_caller(self) -> None:
        """Nobody speaks. The agent speaks up when it has news, else it is the caller's turn."""
        self._silence.end()
        if self._on_hold.on or (self._floor and self._floor.caller_has_it):
            return
        if aside := self._asides.next():
            self._speak_up(aside)
        elif self._brain.has_news:
            self._answer("")
        elif self._floor:
            self._silence.begin()

    def _caller_is_silent(self, times: int) -> None:
        self._emit(events.CallerSilent, times=times)
        if times >= SILENCES:
            self.end("agent_hung_up", "the caller was silent")
        else:
            self._answer("")

    def end(self, reason: Reason, detail: str) -> None:
        """The call ends here, if it has not; `detail` is for the record."""
        if not self.ended.done():
            self.ended.set_result((reason, detail))
