"""An agent without audio: says given sentences as a call's events, hears what the caller's line is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from voicebot.events import AgentSaying, AgentSpeechStarted, AgentSpeechStopped, CallEnded, CallStarted, Event

MS_PER_WORD = 300
REPLY_AFTER_S = 0.7


RATE_HZ = 8000
_LOUD = 20000
"""Louder than any cough: each text gets a level of its own above this, by which it is known again."""


class TextVoice:
    """A voice whose sound can be read: a constant for each text, 300 ms a word."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    async def say(self, text: str) -> bytes:
        if text not in self._texts:
            self._texts.append(text)
        size = len(text.split()) * MS_PER_WORD * RATE_HZ // 1000
        return np.full(size, _LOUD + self._texts.index(text), "<i2").tobytes()

    def read(self, pcm: bytes) -> str:
        """The texts in a stretch of sound; '*' for a sound without words."""
        samples = np.frombuffer(pcm, "<i2")
        said = [int(level) - _LOUD for level in dict.fromkeys(samples[samples >= _LOUD].tolist())]
        return " ".join(self._texts[number] for number in said) or "*"


@dataclass
class ScriptedAgent:
    """Says its lines one after the other, each when the caller has answered the one before; it is the line too.

    With `barge_in` the caller's words stop it, so that a line is only partly heard. Without any lines it is silent.
    """

    lines: list[str]
    barge_in: bool = True
    stays: bool = False
    """It is silent after its last line and leaves hanging up to the caller."""
    heard: list[tuple[float, str]] = field(default_factory=list)
    """What the caller said, and when it began (seconds of the call)."""
    line_times: list[tuple[float, float]] = field(default_factory=list)
    """When each line began and ended (seconds of the call)."""
    hung_up: bool = False

    voice: TextVoice = field(default_factory=TextVoice)
    """The caller's."""
    rate_hz: int = RATE_HZ

    def __post_init__(self) -> None:
        self._face: Callable[[Event], None] = lambda event: None
        self._gone = asyncio.Event()
        self._answered = asyncio.Event()
        self._interrupted = asyncio.Event()
        self._began_s = 0.0

    async def run(self, face: Callable[[Event], None]) -> None:
        self._face = face
        self._began_s = self._clock()
        face(CallStarted(**_STARTED, t_ms=0))
        both = {asyncio.create_task(self._talk()), asyncio.create_task(self._gone.wait())}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        face(CallEnded(t_ms=self._ms(), reason="caller_hung_up" if self.hung_up else "agent_hung_up"))

    @property
    def position_ms(self) -> float:
        return self._ms()

    async def speak(self, pcm: bytes) -> bool:
        text = self.voice.read(pcm)
        self.heard.append((self._ms() / 1000, text))
        if self.barge_in:
            self._interrupted.set()
        await asyncio.sleep(len(pcm) / 2 / RATE_HZ)
        if text != "*":
            self._answered.set()
        return True

    def hang_up(self) -> None:
        self.hung_up = True
        self._gone.set()

    @property
    def words(self) -> list[str]:
        return [text for _, text in self.heard]

    async def add(self, line: str) -> None:
        """Say one more line, whatever the caller does."""
        await self._say(line)

    async def _talk(self) -> None:
        for line in self.lines:
            self._answered.clear()
            await self._say(line)
            await self._answered.wait()
            await asyncio.sleep(REPLY_AFTER_S)
        if self.stays or not self.lines:
            await self._gone.wait()

    async def _say(self, line: str) -> None:
        words = line.split()
        self._interrupted.clear()
        start_ms = self._ms()
        self._face(AgentSpeechStarted(t_ms=start_ms))
        end_ms = start_ms + len(words) * MS_PER_WORD
        self._face(AgentSaying(t_ms=start_ms, text=line, starts_ms=start_ms, ends_ms=end_ms))
        try:
            await asyncio.wait_for(self._interrupted.wait(), (end_ms - start_ms) / 1000)
            heard = " ".join(words[: int((self._ms() - start_ms) / MS_PER_WORD)])
        except TimeoutError:
            heard = line
        self.line_times.append((start_ms / 1000, self._ms() / 1000))
        stopped = AgentSpeechStopped(t_ms=self._ms(), heard=heard, said=line, interrupted=heard != line)
        self._face(stopped)

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    def _ms(self) -> float:
        return (self._clock() - self._began_s) * 1000


_STARTED = {
    "call_id": "1",
    "agent": "fake",
    "agent_sha256": "",
    "started_at": "",
    "transport": "link",
    "rate_hz": 16000,
    "clock": "skip-idle",
}
