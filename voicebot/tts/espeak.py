"""eSpeak NG: the voice that ships with the package. Robotic, instant, needs no key, model or network.

All calls of a process share one worker thread (see `espeakng`). A ten-second utterance takes it about 15 ms, so
callers barely wait for each other; long text is made in pieces, on demand, so that no one holds it or memory.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from voicebot import clock
from voicebot.agent import Agent
from voicebot.tts import Speech, Word, espeakng
from voicebot.tts.pieces import pieces, speakable

VOICE, RATE_WPM = "en-us+f2", 165
SLOWEST_WPM, FASTEST_WPM = 80, 450
_WORKER = ThreadPoolExecutor(1, thread_name_prefix="espeak")


class Espeak:
    """Text to speech with an eSpeak NG voice, `rate_wpm` words a minute (80-450), `pitch` 0-99.

    Audio is s16le mono at 22 050 Hz. A `repeatable` voice gives the same samples for the same text; else they differ a
    little from one utterance to the next. None: on the skip-idle clock, where a call goes the same way every time.
    """

    def __init__(
        self, voice: str = VOICE, rate_wpm: int = RATE_WPM, pitch: int = 50, *, repeatable: bool | None = None
    ) -> None:
        self.name = f"espeak/{voice}"
        self._voice = espeakng.Voice(voice, rate_wpm, pitch)
        self._repeatable = repeatable

    async def load(self) -> None:
        """Raises BadInput for an unknown voice, Unavailable when eSpeak NG cannot start."""
        await asyncio.get_running_loop().run_in_executor(_WORKER, espeakng.check, self._voice)

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        """Chunks of about 100 ms; nothing for text without a letter or digit. A `Word` is a blank-separated token."""
        text = speakable(text)
        done_ms = 0.0
        for start, end in pieces(text):
            samples = 0
            async with aclosing(self._piece(text[start:end], done_ms)) as chunks:
                async for chunk in chunks:
                    samples += len(chunk.pcm) // 2
                    yield chunk
            done_ms += samples * 1000 / espeakng.RATE_HZ

    async def _piece(self, text: str, start_ms: float) -> AsyncGenerator[Speech, None]:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Speech | None] = asyncio.Queue()  # at most one piece of 280 characters
        tokens = _Tokens(text)
        stopped = False

        def on_audio(pcm: bytes, words: list[tuple[int, int]]) -> bool:
            heard = tuple(Word(token, start_ms + at_ms) for offset, at_ms in words if (token := tokens.at(offset)))
            if (pcm or heard) and not stopped:
                loop.call_soon_threadsafe(queue.put_nowait, Speech(pcm, espeakng.RATE_HZ, heard))
            return not stopped

        repeatable = clock.name() == "skip-idle" if self._repeatable is None else self._repeatable
        synthesise = functools.partial(espeakng.synthesise, repeatable=repeatable)
        job = loop.run_in_executor(_WORKER, synthesise, text, self._voice, on_audio)
        job.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (speech := await queue.get()) is not None:
                yield speech
            await job
        finally:
            stopped = True
            job.cancel()


class _Tokens:
    """Each blank-separated token once, at the first of eSpeak's words inside it ('10:30' is two to eSpeak)."""

    def __init__(self, text: str) -> None:
        self._spans = [match.span() for match in re.finditer(r"\S+", text)]
        self._text = text
        self._next = 0

    def at(self, offset: int) -> str | None:
        """The token that holds the character at `offset`, unless it was given before."""
        for index in range(self._next, len(self._spans)):
            start, end = self._spans[index]
            if start <= offset < end:
                self._next = index + 1
                return self._text[start:end]
        return None


def connect(agent: Agent, model: str) -> Espeak:
    """The agent's voice; `model` is an eSpeak NG voice such as 'en-us+f2', '' the default."""
    rate_wpm = min(FASTEST_WPM, max(SLOWEST_WPM, round(RATE_WPM * agent.voice.speed)))
    return Espeak(model or VOICE, rate_wpm)
