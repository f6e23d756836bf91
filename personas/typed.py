"""A simulated caller who types: the same words, no sound. For quick tests of what an agent says and does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from voicebot.transports import Ear, HangUp

from .mouth import Piece, Utterance
from .truth import Sound

AGENT_WPM = 160
"""Words a minute in which agents are taken to speak."""


class TypedLine:
    """A `Transport` of turns in text. The agent's words arrive as the call's events."""

    name = "typed"
    rate_hz = 0

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self._turns: asyncio.Queue[str | None] = asyncio.Queue()
        """None is the end."""
        self._began_s = 0.0

    @property
    def position_ms(self) -> float:
        """Since the call was answered."""
        return (asyncio.get_running_loop().time() - self._began_s) * 1000

    def type(self, text: str) -> None:
        """A whole turn."""
        self._turns.put_nowait(text)

    def hang_up(self) -> None:
        self._turns.put_nowait(None)

    async def run(self, ear: Ear) -> HangUp:
        self._began_s = asyncio.get_running_loop().time()
        while (text := await self._turns.get()) is not None:
            ear.text(text)
        return "caller_hung_up"

    def play(self, pcm: bytes) -> None:
        """There is no sound in a typed conversation."""

    def clear(self) -> None:
        """There is no sound in a typed conversation."""

    def played(self) -> int:
        return 0


class TypingMouth:
    """Types what is said, in the time that saying it would take, and takes as long to read as hearing it would: the
    conversation has the pace of a spoken one."""

    typed = True
    busy = False

    def __init__(self, line: TypedLine, rate_wpm: int) -> None:
        self.sounds: list[Sound] = []
        self._line = line
        self._rate_wpm = rate_wpm

    async def prepare(self, pieces: Sequence[Piece]) -> Utterance:
        return Utterance(pieces)

    async def utter(self, utterance: Utterance) -> None:
        """The words of all pieces as one turn. Anything but words cannot be typed."""
        said = [piece for piece in utterance.pieces if piece.kind == "speech"]
        if not said:
            return
        text = " ".join(piece.text for piece in said)
        starts_ms = self._line.position_ms
        await asyncio.sleep(len(text.split()) * 60 / self._rate_wpm)
        ends_ms = self._line.position_ms
        confused = any(piece.confused for piece in said)
        span = {"starts_ms": round(starts_ms, 3), "ends_ms": round(ends_ms, 3)}
        self.sounds.append(Sound(kind="speech", text=text, confused=confused, **span))
        self._line.type(text)

    def listening_s(self, heard: str) -> float:
        return len(heard.split()) * 60 / AGENT_WPM

    def hang_up(self) -> None:
        self._line.hang_up()
