"""How fast voices begin to speak, and how fast they are made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voicebot.agent import Agent
from voicebot.latency import Percentiles, percentiles
from voicebot.providers import ttss
from voicebot.tts import TTS


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
    names = ", ".join(voices)
    brain = "brain: {llm: openai/none, prompt: Only the voice is measured.}"
    agent = Agent.parse(f"name: bench\n{brain}\nvoice: {{tts: [{names}]}}\n", Path.cwd(), "the voices")
    return [await _pace(candidate.name, candidate.open(), sentences) for candidate in ttss(agent)]


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
