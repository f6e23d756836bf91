"""Several recognisers as one: when one fails in the middle of an utterance, the next one hears all of it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from voicebot import clock
from voicebot.errors import Unavailable
from voicebot.observe.health import Health, health_of
from voicebot.providers import Candidate
from voicebot.stt import STT, STTStream, Transcript

FINISH_S = 4.0
"""A recogniser that has given no final transcript for so long has failed."""
KEEP_S = 60
"""Seconds of one stretch of speech that can be heard again."""

Report = Callable[[str, Exception, str], None]
"""(provider, what it raised, what is done about it)"""
Heard = Callable[[str, float], None]
"""(provider, seconds of audio that it was sent)"""


def _nobody(provider: str, seconds: float) -> None:
    """Who is told when nobody asked to be."""


class Ears:
    """An `STT` for one call. `candidates` are shared by all calls, the best first, and opened when they are needed."""

    def __init__(self, candidates: Sequence[Candidate[STT]], report: Report, heard: Heard = _nobody) -> None:
        """`heard` is told of each stretch of speech that a recogniser took, whatever came of it."""
        self._candidates = candidates
        self._report = report
        self._heard = heard
        self.name = candidates[0].name

    async def load(self) -> None:
        """Make the first recogniser ready that can be; those before it are out. Raises what the last one raises."""
        left = list(self._candidates)
        while True:
            try:
                await left[0].open().load()
                self.name, self._candidates = left[0].name, left
                return
            except Exception as error:
                _give_up(left, error, self._report)
                if not left:
                    raise

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> EarsStream:
        return EarsStream(self._candidates, self._report, rate_hz, on_interim, self._heard)


class EarsStream:
    """One call's `STTStream` over several recognisers."""

    def __init__(
        self,
        candidates: Sequence[Candidate[STT]],
        report: Report,
        rate_hz: int,
        on_interim: Callable[[str], None],
        heard: Heard = _nobody,
    ) -> None:
        self._candidates = candidates
        self._report = report
        self._rate_hz = rate_hz
        self._on_interim = on_interim
        self._heard = heard
        self._streams: dict[str, STTStream] = {}
        self._audio = bytearray()
        """The stretch so far, up to `KEEP_S` of it."""
        self._sent_bytes = 0
        """Of the stretch, to the recogniser that hears it now."""
        self._left: list[Candidate[STT]] = []
        """Who has not failed on this stretch; the first of them hears it."""
        self._live: STTStream | None = None
        self._closing: set[asyncio.Future[None]] = set()

    def start(self) -> None:
        self._audio.clear()
        self._left = [one for one in self._candidates if _health(one).allows()] or list(self._candidates)
        try:
            self._live = self._begin()
        except Exception as error:  # noqa: BLE001 - whatever a provider's SDK raises, the caller's words are kept
            self._failed(error)

    def feed(self, pcm: bytes) -> None:
        if len(self._audio) < 2 * KEEP_S * self._rate_hz:
            self._audio += pcm
        try:
            if self._live:
                self._live.feed(pcm)
                self._sent_bytes += len(pcm)
        except Exception as error:  # noqa: BLE001 - as in start
            self._failed(error)

    async def finish(self) -> Transcript:
        """Raises what the last recogniser raises, when all have failed."""
        while True:
            try:
                transcript = await self._final()
                _health(self._left[0]).succeeded()
                self._live = None
                self._tell()
                return transcript
            except Exception as error:
                self._failed(error)
                if not self._left:
                    raise

    async def _final(self) -> Transcript:
        if not self._left:
            raise Unavailable("no recogniser is left for these words.")
        if self._live is None:
            await self._left[0].open().load()
            self._live = self._begin()
            self._live.feed(bytes(self._audio))
            self._sent_bytes += len(self._audio)
        began_s = clock.now_s()
        try:
            with clock.work():
                transcript = await asyncio.wait_for(self._live.finish(), FINISH_S)
        except TimeoutError as error:
            raise TimeoutError(f"no transcript within {FINISH_S:g} s") from error
        _health(self._left[0]).took(clock.now_s() - began_s)
        return transcript

    def cancel(self) -> None:
        self._audio.clear()
        if self._live:
            self._live.cancel()
            self._live = None
            self._tell()

    async def close(self) -> None:
        if self._live:
            self._tell()
        await asyncio.gather(*self._closing, *(_close(stream) for stream in self._streams.values()))

    def _begin(self) -> STTStream:
        """A new stretch for the first of those left."""
        candidate = self._left[0]
        self._sent_bytes = 0
        if candidate.name not in self._streams:
            self._streams[candidate.name] = candidate.open().stream(self._rate_hz, self._on_interim)
        self._streams[candidate.name].start()
        return self._streams[candidate.name]

    def _tell(self) -> None:
        if self._sent_bytes:
            self._heard(self._left[0].name, self._sent_bytes / 2 / self._rate_hz)
        self._sent_bytes = 0

    def _failed(self, error: Exception) -> None:
        """The first of those left is out, for this stretch; what it still says of it is not listened to."""
        self._live = None
        if not self._left:
            return
        stream = self._streams.pop(self._left[0].name, None)
        if stream:
            self._closing.add(task := asyncio.ensure_future(_close(stream)))
            task.add_done_callback(self._closing.discard)
        _give_up(self._left, error, self._report)


def _give_up(left: list[Candidate[STT]], error: Exception, report: Report) -> None:
    """Take the first out of `left`, and tell of it."""
    candidate = left.pop(0)
    _health(candidate).failed()
    report(candidate.name, error, f"next: {left[0].name}" if left else "the words heard so far count")


async def _close(stream: STTStream) -> None:
    with suppress(Exception):  # it has failed already, and its call goes on without it
        await stream.close()


def _health(candidate: Candidate[STT]) -> Health:
    return health_of("stt", candidate.name)
