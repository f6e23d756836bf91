"""Whisper on this machine, through faster-whisper: good ears for many languages, without a key or a network.

Whisper does not stream: it reads a stretch of speech as a whole. So a stretch is read again and again while it grows,
as often as this machine allows, and the words that two readings agree on are its interim words. When the caller falls
silent it is read at once, so that the last words are mostly known by the time the turn is found to be over.

All calls of a process share one model and one worker thread (see `lanes`). Method: "Turning Whisper into Real-Time
Transcription System" (Macháček et al., 2023).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from voicebot import clock
from voicebot.agent import Agent
from voicebot.models import whisper as models
from voicebot.stt import STTStream, Transcript
from voicebot.stt.agreement import Agreement
from voicebot.stt.hints import likely_words
from voicebot.stt.lanes import Lanes
from voicebot.stt.reading import LONGEST_S, Expected, Reader, Reading
from voicebot.stt.window import Window

_LANES = Lanes("whisper")
_FIRST_READ_MS = 700
"""Enough for a first word, pre-roll included."""
_READ_EVERY_S = 0.5
_REST_SHARE = 1.0
"""A stretch rests between readings at least this share of what the last one took, queueing included."""
_PAUSE_MS = 160
"""A little less than the silence after which the end of the turn is considered."""
_FEWEST_LOUD_MS = 60
"""With less sound than this nobody spoke."""
_CUT_FROM_S, _CUT_TO_S = LONGEST_S / 2, LONGEST_S - 2
_LONGEST_WAITING_S = 120
"""More sound than this is not kept when the machine cannot keep up."""
_BEFORE_CHARACTERS = 200
"""Of the words before a window, so many characters help to read it."""
_DETECT_FROM_MS = 1500
"""The language is told by a stretch of at least so much sound."""


class Whisper:
    """Speech to text with the model in `folder`, for a `language` (ISO 639-1; None: as the callers speak).

    `hints` are words that are likely to come, such as names.
    """

    def __init__(self, folder: Path, language: str | None = "en", hints: str = "", *, name: str = "") -> None:
        self.name = f"whisper/{name or folder.name}"
        self._folder = folder
        self._language = language
        self._hints = hints

    async def load(self) -> None:
        """Load the model, some seconds the first time. Raises Unavailable for a broken one, BadInput when it does not
        know the language."""
        await asyncio.get_running_loop().run_in_executor(_LANES.patient, self._reader)

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> STTStream:
        """A new caller's ear, at any rate from 8000 Hz."""
        return _Stream(self._read, rate_hz, on_interim, Expected(self._language, self._hints))

    def _read(self, pcm: bytes, rate_hz: int, expected: Expected) -> Reading:
        return self._reader().read(pcm, rate_hz, expected)

    def _reader(self) -> Reader:
        reader = _reader(self._folder, models.repair(self._folder))
        if self._language:
            reader.check(self._language, self.name)
        return reader


@functools.cache
def _reader(folder: Path, repair: str) -> Reader:
    """One for each model and process; only ever called from the worker thread, so never twice at once."""
    return Reader(folder, repair)


Read = Callable[[bytes, int, Expected], Reading]


@dataclass
class _Job:
    """A reading under way."""

    until: int
    """The sample up to which it reads."""
    paused: bool
    """The caller had fallen silent: its last words are as good as the rest."""
    keep: bool
    """It reads the first part of a stretch that is too long for one window, for good."""
    result: asyncio.Future[Reading]


class _Stretch:
    """One stretch of speech: its sound, and what has been read of it."""

    def __init__(self, rate_hz: int) -> None:
        self.window = Window(rate_hz)
        self.agreement = Agreement()
        self.before: list[str] = []
        """The words of the windows before this one."""
        self.confidences: list[float] = []
        self.latest = Reading("")
        self.read_until = 0
        self.job: _Job | None = None
        self.began_s = 0.0
        self.took_s = 0.0

    @property
    def all_read(self) -> bool:
        """Nothing loud came after what was read last."""
        return self.window.loud_until <= self.read_until or self.window.loud_ms < _FEWEST_LOUD_MS

    @property
    def transcript(self) -> Transcript:
        known = [each for each in (*self.confidences, self.latest.confidence) if each is not None]
        return Transcript(self._after(self.latest.text), sum(known) / len(known) if known else None)

    def take(self, job: _Job, reading: Reading) -> str:
        """What a job has read -> the words that can be shown."""
        self.read_until = job.until
        if not job.keep:
            self.latest = reading
            stable = self.agreement.read(reading.text)
            return self._after(reading.text if job.paused else stable)
        self.before.append(reading.text)
        self.confidences += [] if reading.confidence is None else [reading.confidence]
        self.window.drop(job.until)
        self.latest, self.agreement = Reading(""), Agreement()
        return self._after("")

    def drop_job(self) -> None:
        if self.job:
            self.job.result.cancel()
            self.job = None

    def _after(self, text: str) -> str:
        return " ".join(part for part in (*self.before, text) if part)


class _Stream:
    """One caller's ear. A stretch has at most one reading under way; whether the next one is due is asked when sound
    comes, so that nothing ever queues up."""

    def __init__(self, read: Read, rate_hz: int, on_interim: Callable[[str], None], expected: Expected) -> None:
        self._read = read
        self._rate_hz = rate_hz
        self._on_interim = on_interim
        self._expected = expected
        self._language = expected.language
        self._stretch: _Stretch | None = None

    def start(self) -> None:
        self.cancel()
        self._stretch = _Stretch(self._rate_hz)

    def feed(self, pcm: bytes) -> None:
        stretch = self._stretch
        if stretch is None or stretch.window.seconds >= _LONGEST_WAITING_S:
            return
        stretch.window.add(pcm)
        if stretch.job is None and self._is_due(stretch):
            self._begin(stretch, urgent=False)

    async def finish(self) -> Transcript:
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return Transcript("")
        try:
            await self._read_all(stretch)
        finally:
            stretch.drop_job()
        if stretch.latest.language and stretch.window.loud_ms >= _DETECT_FROM_MS:
            self._language = stretch.latest.language
        return stretch.transcript

    def cancel(self) -> None:
        if self._stretch is not None:
            self._stretch.drop_job()
            self._stretch = None

    async def close(self) -> None:
        self.cancel()

    def _is_due(self, stretch: _Stretch) -> bool:
        window = stretch.window
        if window.seconds >= LONGEST_S:
            return True
        if window.seconds * 1000 < _FIRST_READ_MS or stretch.all_read:
            return False
        if window.quiet_ms >= _PAUSE_MS:
            return True
        since_s = clock.now_s() - stretch.began_s
        return since_s >= max(_READ_EVERY_S, (1 + _REST_SHARE) * stretch.took_s)

    def _begin(self, stretch: _Stretch, *, urgent: bool) -> _Job:
        loop, window = asyncio.get_running_loop(), stretch.window
        keep = window.seconds >= LONGEST_S
        until = window.best_cut(_CUT_FROM_S, _CUT_TO_S) if keep else window.end
        paused = window.quiet_ms >= _PAUSE_MS
        said = " ".join(stretch.before)[-_BEFORE_CHARACTERS:]
        expected = Expected(self._language, f"{self._expected.text} {said}".strip())
        lane = _LANES.urgent if urgent or paused else _LANES.patient
        result = loop.run_in_executor(lane, self._read, window.sound(until), self._rate_hz, expected)
        stretch.began_s = clock.now_s()
        stretch.job = job = _Job(until, paused, keep, result)
        result.add_done_callback(lambda _: self._done(stretch, job))
        return job

    def _done(self, stretch: _Stretch, job: _Job) -> None:
        if stretch.job is job:
            stretch.job = None
        stretch.took_s = clock.now_s() - stretch.began_s
        if job.result.cancelled():
            return
        if error := job.result.exception():
            if stretch is self._stretch:  # else `finish` waits for it and raises it
                logger.warning(f"Whisper could not read a stretch of speech: {error}")
            return
        text = stretch.take(job, job.result.result())
        if text and stretch is self._stretch:
            self._on_interim(text)

    async def _read_all(self, stretch: _Stretch) -> None:
        """Until nothing loud is left unread; mostly the reading that began when the caller fell silent will do."""
        while True:
            job = stretch.job
            if job and not job.keep and job.until < stretch.window.loud_until:
                stretch.drop_job()  # it comes too late to be of use
                continue
            if job is None and stretch.all_read:
                return
            await (job or self._begin(stretch, urgent=True)).result


def connect(agent: Agent, model: str) -> Whisper:
    """The agent's ear; `model` is a name of the catalogue ('small.en') or a folder.

    Raises Unavailable when it is not on disk.
    """
    named = "language" in agent.model_fields_set or model.endswith(".en")
    language = agent.language.partition("-")[0] if named else None
    return Whisper(models.located(model, agent.root), language, likely_words(agent), name=model)
