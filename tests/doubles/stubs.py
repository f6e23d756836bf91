"""Fakes of the three providers, for tests of the engine between them. Nothing here is a loopback of a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence

import numpy as np

from voicebot.brain import Output, Say, ToolResult
from voicebot.stt import Transcript
from voicebot.tts import Speech

WORD_S = 0.3
"""How long each word of `ToneTTS` sounds."""


class ScriptSTT:
    """Understands each stretch of speech as the next of its lines; '' is a noise. Interim words come when told to."""

    name = "script"

    def __init__(self, lines: Iterable[str], *, interim: bool = False, finish_s: float = 0.0) -> None:
        self._lines = iter(lines)
        self._interim = interim
        self._finish_s = finish_s
        self.fed = 0

    async def load(self) -> None: ...

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> ScriptSTT:
        self._on_interim = on_interim
        return self

    def start(self) -> None:
        self._line = next(self._lines, "")
        self._told = False

    def feed(self, pcm: bytes) -> None:
        self.fed += len(pcm)
        if self._interim and not self._told and self._line:
            self._told = True
            self._on_interim(self._line)

    async def finish(self) -> Transcript:
        await asyncio.sleep(self._finish_s)
        return Transcript(self._line)

    def cancel(self) -> None: ...

    async def close(self) -> None: ...


class ToneTTS:
    """Says every word as `WORD_S` of a tone."""

    name = "tone"

    def __init__(self, rate_hz: int = 16000) -> None:
        self._rate_hz = rate_hz

    async def load(self) -> None: ...

    async def speak(self, text: str) -> AsyncIterator[Speech]:
        for _ in text.split():
            t = np.arange(int(WORD_S * self._rate_hz)) / self._rate_hz
            yield Speech((6000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16).tobytes(), self._rate_hz)


class EchoBrain:
    """Answers every turn with the next of its replies and keeps what it was told the caller heard."""

    name = "echo"

    def __init__(self, replies: Iterable[str] = (), *, greeting: str = "", settles: bool = False) -> None:
        self._replies = iter(replies)
        self._greeting = greeting
        self._settles = settles
        self.turns: list[str] = []
        self.memory: list[tuple[str, bool]] = []
        self.guesses: list[str] = []
        self.closed = False

    async def greet(self) -> AsyncGenerator[Output, None]:
        if self._greeting:
            yield Say(self._greeting)

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        self.turns.append(text)
        yield Say(next(self._replies, "All right."))

    async def say(self, text: str) -> AsyncGenerator[Output, None]:
        yield Say(text)

    async def heard(self, text: str, *, interrupted: bool) -> None:
        self.memory.append((text, interrupted))

    async def prepare(self, text: str) -> None:
        self.guesses.append(text)

    def settles(self, text: str) -> bool:
        return self._settles

    has_news = False

    def on_finish(self, tell: Callable[[ToolResult], None]) -> None: ...

    async def close(self) -> Sequence[Output]:
        self.closed = True
        return ()
