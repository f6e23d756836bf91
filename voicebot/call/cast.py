"""The ears and voices of a call that goes through several agents: each hears and speaks with what its file names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

from voicebot import paths, providers
from voicebot.agent import Agent
from voicebot.money.prices import SpeechKind, prices
from voicebot.stt import STT, STTStream, Transcript
from voicebot.stt.failover import Ears, Report
from voicebot.tts import TTS, Speech
from voicebot.tts.failover import Voices
from voicebot.tts.phrases import Phrases

One = TypeVar("One", bound=STT | TTS)
Used = Callable[[dict[str, Any]], None]
"""Is given the fields of a `voicebot.events.SpeechUsed`."""


class Cast:
    """The agents that one call can go through; `agent` is the first."""

    def __init__(self, agent: Agent, stt_failed: Report, tts_failed: Report, used: Used | None = None) -> None:
        """The reports are told of a provider that failed and was replaced. Raises BadInput for wrong prices."""
        self.file = agent.file
        """Of the agent that is on the line."""
        self._family = agent.family()
        self._stt_failed = stt_failed
        self._tts_failed = tts_failed
        self._used = used
        self._prices = prices(agent.root)

    @property
    def agent(self) -> Agent:
        """Who is on the line."""
        return self._family[self.file]

    @cached_property
    def stt(self) -> STT:
        """Hears with what the agent on the line names; a stretch of speech stays with who heard its beginning."""
        return _Ear(self, {file: self._ears(one) for file, one in self._family.items()})

    @cached_property
    def tts(self) -> TTS:
        """Speaks with the voice of the agent on the line."""
        return _Voice(self, {file: self._voices(one) for file, one in self._family.items()})

    def _ears(self, agent: Agent) -> STT:
        return Ears(providers.stts(agent), self._stt_failed, self._heard)

    def _voices(self, agent: Agent) -> TTS:
        candidates = providers.ttss(agent)
        phrases = None if candidates[0].instant else Phrases(paths.phrases_dir(), agent.says_often, _manner(agent))
        pronounce = agent.voice.pronounce
        return Voices(candidates, self._tts_failed, agent.language, pronounce, phrases, self._spoken)

    def _heard(self, provider: str, seconds: float) -> None:
        self._tell("stt", provider, seconds=round(seconds, 3))

    def _spoken(self, provider: str, characters: int, seconds: float) -> None:
        self._tell("tts", provider, characters=characters, seconds=round(seconds, 3))

    def _tell(self, kind: SpeechKind, provider: str, **amount: Any) -> None:
        if self._used:
            price = self._prices.speech(kind, provider)
            cost_usd = price.cost_usd(**amount) if price else None
            self._used({"kind": kind, "provider": provider, **amount, "cost_usd": cost_usd})

    def enter(self, file: str) -> None:
        """The agent of that file is on the line from now on."""
        self.file = file


class _Several(Generic[One]):
    def __init__(self, cast: Cast, all_of_them: Mapping[str, One]) -> None:
        self.cast = cast
        self._all = all_of_them

    @property
    def now(self) -> One:
        return self._all[self.cast.file]

    @property
    def name(self) -> str:
        return self.now.name

    async def load(self) -> None:
        await asyncio.gather(*(one.load() for one in self._all.values()))


class _Voice(_Several[TTS]):
    def speak(self, text: str) -> AsyncIterator[Speech]:
        return self.now.speak(text)


class _Ear(_Several[STT]):
    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> STTStream:
        return _EarStream(self, rate_hz, on_interim)


class _EarStream:
    """One call's `STTStream`."""

    def __init__(self, ear: _Ear, rate_hz: int, on_interim: Callable[[str], None]) -> None:
        self._ear = ear
        self._rate_hz = rate_hz
        self._on_interim = on_interim
        self._streams: dict[str, STTStream] = {}
        self._now = self._stream()

    def _stream(self) -> STTStream:
        file = self._ear.cast.file
        if file not in self._streams:
            self._streams[file] = self._ear.now.stream(self._rate_hz, self._on_interim)
        return self._streams[file]

    def start(self) -> None:
        self._now = self._stream()
        self._now.start()

    def feed(self, pcm: bytes) -> None:
        self._now.feed(pcm)

    async def finish(self) -> Transcript:
        return await self._now.finish()

    def cancel(self) -> None:
        self._now.cancel()

    async def close(self) -> None:
        await asyncio.gather(*(stream.close() for stream in self._streams.values()))


def _manner(agent: Agent) -> str:
    """What decides how the agent's words sound, its voice aside."""
    voice = agent.voice
    return f"{agent.language} {voice.speed} {sorted(voice.manner.items())} {sorted(voice.pronounce.items())}"
