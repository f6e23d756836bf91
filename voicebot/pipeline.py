"""The conversation plane of one call: a Pipecat pipeline of brain and mouth.

Turns travel here, audio does not. The call queues what the floor decided; the brain answers in text; the mouth speaks
it clause by clause into the playout. An interruption is Pipecat's own: it cancels what each processor is at.

    CallerTurnFrame -> [Brain] -> ReplyStartFrame, LLMTextFrame ..., LLMFullResponseEndFrame -> [Mouth] -> playout

While the brain has nothing to say, the pipeline says "One moment." (FillerFrame); the brain does not hear of it.

The caller's turns also travel as Pipecat's standard frames (UserStartedSpeakingFrame, TranscriptionFrame,
UserStoppedSpeakingFrame), so any Pipecat processor or observer can stand in the pipeline.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, Protocol

from pipecat.frames.frames import (
    DataFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    UninterruptibleFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from voicebot.brain import Brain, Output, PressKeys, Say
from voicebot.media import dtmf
from voicebot.media.playout import Playout
from voicebot.media.resample import Resampler
from voicebot.tts import TTS, Word
from voicebot.tts.clauses import Clauses
from voicebot.turns.filler import Hold

APOLOGY = "I'm sorry, something went wrong on my side. Could you say that again?"
Speak = Callable[[str], Awaitable[None]]


@dataclass
class GreetFrame(DataFrame):
    """The call was answered: the agent speaks first."""

    before: str = ""
    """What it says before its greeting."""


@dataclass
class CallerTurnFrame(DataFrame):
    """The caller's turn is over; the brain answers."""

    text: str = ""
    silent_ms: float = 0.0
    """Since the caller's last word."""


@dataclass
class AsideFrame(DataFrame):
    """Words from outside the conversation for the agent to say; the brain remembers them unless they are its last."""

    text: str = ""
    last: bool = False


@dataclass
class LikelyTurnFrame(DataFrame):
    """The caller's turn is probably over, with this text; '' when they go on after all."""

    text: str = ""


@dataclass
class HeardFrame(DataFrame, UninterruptibleFrame):
    """What the caller heard of the last reply, fillers aside, for the brain's memory."""

    text: str = ""
    interrupted: bool = False


@dataclass
class ReplyStartFrame(LLMFullResponseStartFrame):
    """The first frame of a reply."""


@dataclass
class FillerFrame(DataFrame):
    """Words for a silence, beside the reply."""

    text: str = ""


@dataclass
class KeysFrame(DataFrame):
    """Keys to press, behind the words so far."""

    keys: str = ""


class Narrator(Protocol):
    """Who is told how a reply comes about. Plain calls on the event loop."""

    def first_token(self) -> None: ...

    def first_clause(self) -> None: ...

    def first_audio(self) -> None: ...

    def brain_did(self, output: Output) -> None:
        """Anything the brain put out that is not speech."""

    def failed(self, kind: Literal["stt", "llm", "tts", "turn"], error: Exception) -> None: ...


class BrainProcessor(FrameProcessor):
    """Answers the caller's turns. What it does besides speaking goes to the narrator."""

    def __init__(self, brain: Brain, narrator: Narrator, hold: Callable[[Speak], Hold] | None = None) -> None:
        """`hold` makes what fills silences with the help of a function that speaks; None: they stay silent."""
        super().__init__(name="brain")
        self._brain = brain
        self._narrator = narrator
        self._hold = hold(self._fill) if hold else None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, CallerTurnFrame):
            await self._held(self._brain.reply(frame.text), frame.silent_ms)
        elif isinstance(frame, GreetFrame):
            await self._reply(_greeting(frame.before, self._brain))
        elif isinstance(frame, AsideFrame):
            await self._reply(_just(frame.text) if frame.last else self._brain.say(frame.text))
        elif isinstance(frame, LikelyTurnFrame):
            await self._prepare(frame.text)
        elif isinstance(frame, HeardFrame):
            await self._brain.heard(frame.text, interrupted=frame.interrupted)
        else:
            await self.push_frame(frame, direction)

    async def _held(self, outputs: AsyncGenerator[Output, None], silent_ms: float) -> None:
        """Reply, and meanwhile leave the caller in no silence."""
        holding = asyncio.create_task(self._hold.keep(silent_ms / 1000), name="hold") if self._hold else None
        try:
            await self._reply(outputs)
        finally:
            if holding:
                holding.cancel()

    async def _fill(self, text: str) -> None:
        await self.push_frame(FillerFrame(text))

    async def _prepare(self, text: str) -> None:
        try:
            await self._brain.prepare(text)
        except Exception as error:  # noqa: BLE001 - a head start that fails costs nothing but the head start
            self._narrator.failed("llm", error)

    async def _reply(self, outputs: AsyncGenerator[Output, None]) -> None:
        await self.push_frame(ReplyStartFrame())
        spoke = False
        try:
            async with aclosing(outputs):  # closing it when the caller interrupts stops the brain's work
                async for output in outputs:
                    if isinstance(output, PressKeys):
                        await self.push_frame(KeysFrame(output.keys))
                    elif not isinstance(output, Say):
                        self._narrator.brain_did(output)
                    elif output.text:
                        if not spoke:
                            self._narrator.first_token()
                        spoke = True
                        await self.push_frame(LLMTextFrame(output.text))
        except Exception as error:  # noqa: BLE001 - a call never dies of its brain, whatever that raises
            self._narrator.failed("llm", error)
            if not spoke:
                await self.push_frame(LLMTextFrame(APOLOGY))
        await self.push_frame(LLMFullResponseEndFrame())


async def _greeting(before: str, brain: Brain) -> AsyncGenerator[Output, None]:
    if before:
        yield Say(f"{before} ")
    async with aclosing(brain.greet()) as outputs:
        async for output in outputs:
            yield output


async def _just(text: str) -> AsyncGenerator[Output, None]:
    yield Say(text)


class MouthProcessor(FrameProcessor):
    """Speaks replies clause by clause. Without a TTS (a typed conversation) the text alone goes out."""

    def __init__(self, tts: TTS | None, playout: Playout, rate_hz: int, narrator: Narrator) -> None:
        super().__init__(name="mouth")
        self._tts = tts
        self._playout = playout
        self._rate_hz = rate_hz
        self._narrator = narrator
        self._clauses = Clauses()
        self._first_clause = True
        self._first_audio = True

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, ReplyStartFrame):
            self._clauses = Clauses()
            self._first_clause = self._first_audio = True
        elif isinstance(frame, LLMTextFrame):
            for clause in self._clauses.feed(frame.text):
                await self._speak(clause)
        elif isinstance(frame, LLMFullResponseEndFrame):
            for clause in self._clauses.flush():
                await self._speak(clause)
            self._playout.end()
        elif isinstance(frame, KeysFrame):
            for clause in self._clauses.flush():
                await self._speak(clause)
            self._press(frame.keys)
        elif isinstance(frame, FillerFrame) and self._playout.unheard_ms <= 0:  # else the answer came first
            await self._fill(frame.text)
        await self.push_frame(frame, direction)

    def _press(self, keys: str) -> None:
        self._playout.clause("")
        start_ms = 0.0
        for key, pcm in zip(keys, dtmf.tones(keys, self._rate_hz), strict=True):
            self._playout.audio(pcm, (Word(key, start_ms),))
            start_ms += len(pcm) / 2 * 1000 / self._rate_hz if self._rate_hz else 0
        self._playout.clause_complete()
        self._narrator.brain_did(PressKeys(keys))

    async def _fill(self, text: str) -> None:
        """A sentence that only waits to be sure of its end is said now, and better than any filler."""
        if sentence := self._clauses.sentence():
            await self._speak(sentence)
        else:
            await self._say(text, filler=True)

    async def _speak(self, clause: str) -> None:
        if self._first_clause:
            self._first_clause = False
            self._narrator.first_clause()
        await self._say(clause, filler=False)

    async def _say(self, clause: str, *, filler: bool) -> None:
        self._playout.clause(clause, filler=filler)
        try:
            await self._audio(clause, answer=not filler)
        except Exception as error:  # noqa: BLE001 - a call never dies of its TTS, whatever that raises
            self._narrator.failed("tts", error)
        self._playout.clause_complete()

    async def _audio(self, clause: str, *, answer: bool) -> None:
        if self._tts is None:
            self._playout.audio(b"")
            return
        resample: Resampler | None = None
        async for speech in self._tts.speak(clause):
            if resample is None or resample.from_hz != speech.rate_hz:  # another voice may go on with the clause
                rest = resample(b"", last=True) if resample else b""
                resample = Resampler(speech.rate_hz, self._rate_hz)
                pcm = rest + resample(speech.pcm)
            else:
                pcm = resample(speech.pcm)
            if answer and self._first_audio and pcm:
                self._first_audio = False
                self._narrator.first_audio()
            self._playout.audio(pcm, speech.words)
        if resample:
            self._playout.audio(resample(b"", last=True))


class CallPipeline:
    """One call's running pipeline."""

    def __init__(self, brain: BrainProcessor, mouth: MouthProcessor) -> None:
        # No observer, no idle timer and no client protocol of Pipecat's: events.py is what faces read.
        self._worker = PipelineWorker(
            Pipeline([brain, mouth]),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
            check_dangling_tasks=False,
        )
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when frames flow."""
        started = asyncio.Event()

        async def on_started(_worker: PipelineWorker, _frame: Frame) -> None:
            started.set()

        self._worker.add_event_handler("on_pipeline_started", on_started)
        runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
        await runner.add_workers(self._worker)
        self._tasks = [asyncio.create_task(runner.run()), asyncio.create_task(self._pump())]
        await started.wait()

    def send(self, *frames: Frame) -> None:
        """Queue frames, a handful per turn, in this order. A plain call on the event loop."""
        for frame in frames:
            self._frames.put_nowait(frame)

    async def _pump(self) -> None:
        while True:
            await self._worker.queue_frame(await self._frames.get())

    async def close(self) -> None:
        """Cancel what brain and mouth are at and end the pipeline."""
        if not self._tasks:
            return
        running, pump = self._tasks
        pump.cancel()
        await self._worker.cancel()
        await asyncio.gather(running, pump, return_exceptions=True)
