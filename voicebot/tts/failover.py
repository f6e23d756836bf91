"""Several voices as one: when a voice fails, the next one goes on from the word where it stopped."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from voicebot import clock
from voicebot.observe.health import health_of
from voicebot.providers import Candidate
from voicebot.tts import TTS, Speech, Word
from voicebot.tts.aloud import Reading
from voicebot.tts.phrases import Phrases

SILENCE_S = 5.0
"""A voice that gives no audio for so long has failed."""
_MS_PER_CHARACTER = 65
"""How fast text is taken to be spoken by a voice that does not tell its words."""

Report = Callable[[str, Exception, str], None]
"""(provider, what it raised, what is done about it)"""
Given = Callable[[str, int, float], None]
"""(provider, characters that it was given to speak, seconds of audio that it gave)"""


def _nobody(provider: str, characters: int, seconds: float) -> None:
    """Who is told when nobody asked to be."""


class Voices:
    """A `TTS` for one call, which reads aloud what was written to be read.

    `candidates` are shared by all calls, the best first, and opened when they are needed.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate[TTS]],
        report: Report,
        language: str = "en",
        pronounce: Mapping[str, str] | None = None,
        phrases: Phrases | None = None,
        given: Given = _nobody,
    ) -> None:
        """`pronounce`: see `voicebot.tts.aloud.Reading`. `phrases` are kept as sound. `given` is told of each clause
        that a voice began to speak, when it is done with it."""
        self._candidates = candidates
        self._report = report
        self._language = language
        self._pronounce = pronounce or {}
        self._phrases = phrases
        self._given = given
        self._failures = 0
        self.name = candidates[0].name
        """The voice that speaks, or spoke last."""

    async def load(self) -> None:
        """Make the first voice ready that can be. Raises what the last one raises."""
        for candidate, following in _with_next(self._candidates):
            try:
                await candidate.open().load()
                if self._phrases:
                    await self._phrases.load(candidate.name)
                self.name = candidate.name
                return
            except Exception as error:
                if following is None:
                    raise
                self._failed(candidate, error, f"next: {following.name}")

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        """One clause; its `Word`s are those of `text`. Raises what the last voice raises, when all have failed."""
        kept = self._phrases.get(self.name, text) if self._phrases else None
        if kept is not None:
            for speech in kept:
                yield speech
            return
        failures, chunks = self._failures, []
        async with aclosing(self._anew(text)) as anew:
            async for speech in anew:
                chunks.append(speech)
                yield speech
        if self._phrases and self._phrases.wants(text) and chunks and failures == self._failures:
            await self._phrases.keep(self.name, text, chunks)

    async def _anew(self, text: str) -> AsyncGenerator[Speech, None]:
        reading = Reading(text, self._language, self._pronounce)
        spoken = 0
        async with aclosing(self._spoken(reading.spoken)) as chunks:
            async for speech in chunks:
                said = enumerate(speech.words, start=spoken)
                spoken += len(speech.words)
                shown = ((reading.words[number], word) for index, word in said for number in reading.shown(index))
                yield replace(speech, words=tuple(replace(word, text=text) for text, word in shown))

    async def _spoken(self, text: str) -> AsyncGenerator[Speech, None]:
        rest, given_ms = text, 0.0
        for candidate, following in _with_next(_in_order(self._candidates)):
            part = _Part(rest, given_ms)
            try:
                async with aclosing(_audio(candidate, part)) as chunks:
                    async for speech in chunks:
                        yield speech
            except Exception as error:
                self._failed(candidate, error, f"next: {following.name}" if following else "the clause is left out")
                rest, given_ms = part.unspoken(), part.until_ms
                if following is None:
                    raise
                if rest:
                    continue
            else:
                health_of("tts", candidate.name).succeeded()
                self.name = candidate.name
            finally:
                if part.until_ms > part.since_ms:
                    self._given(candidate.name, len(part.text), (part.until_ms - part.since_ms) / 1000)
            return

    def _failed(self, candidate: Candidate[TTS], error: Exception, remedy: str) -> None:
        self._failures += 1
        health_of("tts", candidate.name).failed()
        self._report(candidate.name, error, remedy)


class _Part:
    """What one voice is to say of a clause, and how far it came."""

    def __init__(self, text: str, since_ms: float) -> None:
        self.text = text
        self.since_ms = since_ms
        self.until_ms = since_ms
        self._words: list[Word] = []

    def gives(self, speech: Speech) -> Speech:
        """The chunk, its words timed from the beginning of the whole clause."""
        self.until_ms += len(speech.pcm) // 2 * 1000 / speech.rate_hz
        words = tuple(replace(word, start_ms=word.start_ms + self.since_ms) for word in speech.words)
        self._words += words
        return replace(speech, words=words)

    def unspoken(self) -> str:
        """The words that have not begun to sound."""
        spans = list(re.finditer(r"\S+", self.text))
        if self._words:
            spoken = sum(word.start_ms < self.until_ms for word in self._words)
        else:
            characters = (self.until_ms - self.since_ms) / _MS_PER_CHARACTER
            spoken = sum(span.start() < characters for span in spans)
        return self.text[spans[spoken].start() :] if spoken < len(spans) else ""


async def _audio(candidate: Candidate[TTS], part: _Part) -> AsyncGenerator[Speech, None]:
    """The part's audio. Raises what the voice raises, TimeoutError when it is silent for too long."""
    voice = candidate.open()
    await voice.load()
    asked_s: float | None = clock.now_s()
    async with aclosing(cast(AsyncGenerator[Speech, None], voice.speak(part.text))) as chunks:
        while (speech := await _next(chunks)) is not None:
            if asked_s is not None and speech.pcm:
                health_of("tts", candidate.name).took(clock.now_s() - asked_s)
                asked_s = None
            yield part.gives(speech)


async def _next(chunks: AsyncIterator[Speech]) -> Speech | None:
    try:
        with clock.work():
            return await asyncio.wait_for(anext(chunks), SILENCE_S)
    except StopAsyncIteration:
        return None
    except TimeoutError as error:
        raise TimeoutError(f"no audio for {SILENCE_S:g} s") from error


def _in_order(candidates: Sequence[Candidate[TTS]]) -> Sequence[Candidate[TTS]]:
    """Those that have not just failed again and again; all of them when that is nobody."""
    return [candidate for candidate in candidates if health_of("tts", candidate.name).allows()] or candidates


def _with_next(candidates: Sequence[Candidate[TTS]]) -> Iterator[tuple[Candidate[TTS], Candidate[TTS] | None]]:
    return zip(candidates, [*candidates[1:], None], strict=True)
