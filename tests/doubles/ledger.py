"""A line that keeps its own account of what was played on it, and a voice that keeps eSpeak's account of its words.

Together they say which words a caller has heard, without asking anything of the engine's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from voicebot.transports import Ear, HangUp
from voicebot.tts import Speech
from voicebot.tts.espeak import Espeak

RATE_HZ = 16000


class LedgerLine:
    """A `Transport` of which only the agent's side is used. Audio sounds as soon as what was queued before is over."""

    name = "ledger"
    caller = "tester"
    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self._sounded: list[tuple[float, float]] = []
        """(from, to) in loop time of each stretch of audio."""
        self._hung_up = asyncio.Event()

    async def run(self, ear: Ear) -> HangUp:
        await self._hung_up.wait()
        return "caller_hung_up"

    def hang_up(self) -> None:
        self._hung_up.set()

    def play(self, pcm: bytes) -> None:
        begins = max(self._now_s(), self._sounded[-1][1] if self._sounded else 0.0)
        self._sounded.append((begins, begins + len(pcm) / 2 / RATE_HZ))

    def clear(self) -> None:
        now = self._now_s()
        self._sounded = [(begins, min(ends, now)) for begins, ends in self._sounded if begins < now]

    def played(self) -> int:
        return round(self.played_s() * RATE_HZ)

    def played_s(self) -> float:
        """Seconds of sound so far in this call."""
        now = self._now_s()
        return sum(min(ends, now) - begins for begins, ends in self._sounded if begins < now)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class _Clause:
    words: list[tuple[str, float]] = field(default_factory=list)
    """(word, seconds at which it begins)."""
    length_s: float = 0.0


class LedgerVoice(Espeak):
    """eSpeak, and what it says of its words, by clause."""

    def __init__(self) -> None:
        super().__init__()
        self.clauses: list[_Clause] = []

    async def speak(self, text: str) -> AsyncGenerator[Speech, None]:
        clause = _Clause()
        self.clauses.append(clause)
        async for speech in super().speak(text):
            clause.words += [(word.text, word.start_ms / 1000) for word in speech.words]
            clause.length_s += len(speech.pcm) / 2 / speech.rate_hz
            yield speech

    def words_within(self, seconds: float) -> list[str]:
        """The words of which at least half has sounded when so much of the clauses was played."""
        heard: list[str] = []
        begins_s = 0.0
        for clause in self.clauses:
            starts = [start for _, start in clause.words]
            for (word, start), end in zip(clause.words, [*starts[1:], clause.length_s], strict=True):
                if begins_s + (start + end) / 2 <= seconds:
                    heard.append(word)
            begins_s += clause.length_s
        return heard

    @property
    def length_s(self) -> float:
        return sum(clause.length_s for clause in self.clauses)
