"""How fast voices begin to speak, and how fast they are made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from voicebot import paths, providers
from voicebot.agent import Agent
from voicebot.errors import BadInput
from voicebot.latency import Percentiles, percentiles
from voicebot.providers import ttss
from voicebot.tts import TTS
from voicebot.tts.aloud import Reading


@dataclass
class Pace:
    """One voice over some sentences."""

    voice: str
    first_ms: list[float] = field(default_factory=list)
    made_s: float = 0.0
    sounds_s: float = 0.0

    @property
    def first_audio(self) -> Percentiles:
        """Time to first audio."""
        found = percentiles(self.first_ms)
        assert found is not None, "a pace is of at least one sentence"
        return found

    @property
    def real_time_factor(self) -> float:
        """Seconds of making for each second of sound."""
        return self.made_s / self.sounds_s


async def measure(voices: Sequence[str], sentences: Sequence[str]) -> list[Pace]:
    """The pace of each of `voices`, named as in an agent file; 'auto' is every one that can run here. One sentence
    after the other, the voice being loaded and warm. Raises BadInput, Unavailable."""
    agent = _agent(voices, "en")
    return [await _pace(candidate.name, candidate.open(), sentences) for candidate in ttss(agent)]


@dataclass(frozen=True)
class Said:
    """A text as a voice says it."""

    voice: str
    pcm: bytes
    """s16le mono."""
    rate_hz: int
    first_ms: float
    """Time to first audio, the voice being loaded."""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate_hz


async def say(voice: str, text: str, language: str, take: Callable[[bytes, int], None] | None = None) -> Said:
    """`text` as an agent with this voice would say it. `take(pcm, rate_hz)` gets it as it comes.

    Raises BadInput, Unavailable.
    """
    (candidate, *_) = ttss(_agent([voice], language))
    tts = candidate.open()
    await tts.load()
    loop = asyncio.get_running_loop()
    began, first_ms, rate_hz, pcm = loop.time(), None, 0, bytearray()
    async for speech in tts.speak(Reading(text, language).spoken):
        if first_ms is None and speech.pcm:
            first_ms = (loop.time() - began) * 1000
        pcm += speech.pcm
        rate_hz = speech.rate_hz
        if take:
            take(speech.pcm, speech.rate_hz)
    if first_ms is None:
        raise BadInput(f"'{text}' has nothing in it that {candidate.name} can say.")
    return Said(candidate.name, bytes(pcm), rate_hz, first_ms)


def _agent(voices: Sequence[str], language: str) -> Agent:
    """One that has nothing but these voices. Raises BadInput for one of an unknown provider."""
    for voice in voices:
        if voice != providers.AUTO:
            providers.find("tts", voice)
    document = {
        "name": "voices",
        "language": _code(language),
        "brain": {"llm": "openai/none", "prompt": "Only the voice is heard."},
        "voice": {"tts": list(voices)},
    }
    return Agent.parse(json.dumps(document), paths.project_root(), "the voices")


def _code(language: str) -> str:
    """As agent files write it: 'en-us' -> 'en-US', and what is more than a country is left out."""
    base, _, region = language.replace("_", "-").partition("-")
    region = region.partition("-")[0].upper()
    return f"{base.lower()}-{region}" if len(region) == 2 else base.lower()


async def _pace(name: str, voice: TTS, sentences: Sequence[str]) -> Pace:
    await voice.load()
    loop = asyncio.get_running_loop()
    pace = Pace(name)
    async for _ in voice.speak(sentences[0]):
        pass  # the first sentence of a process pays for what is loaded late
    for sentence in sentences:
        began = loop.time()
        first: float | None = None
        async for speech in voice.speak(sentence):
            if first is None and speech.pcm:
                first = loop.time()
            pace.sounds_s += len(speech.pcm) / 2 / speech.rate_hz
        pace.made_s += loop.time() - began
        pace.first_ms.append(((first or loop.time()) - began) * 1000)
    return pace
