"""How a caller makes a sound, and knows afterwards exactly which one and when: the ground truth of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from . import cough
from .dice import Dice
from .truth import Kind, Sound

SIDE_SPEECH_DB = -10.0
"""Somebody who turns away from the telephone is so much softer."""
_SILENT = 150
"""Samples (s16) that stay below this, 47 dB below full scale, are no sound."""


@dataclass(frozen=True)
class Piece:
    """A part of what the caller utters, with nothing between it and the next one but `pause_ms` of silence."""

    text: str = ""
    kind: Kind = "speech"
    noise: cough.Kind | None = None
    """Of the caller's, where it is no word."""
    pcm: bytes | None = None
    """The sound itself, where it was recorded: s16le mono at the line's rate."""
    margin_ms: float = 0.0
    """How much of `pcm` at both ends is not the sound yet."""
    pause_ms: float = 0.0
    """Silence before it."""
    interrupts: bool = False
    confused: bool = False


class Mouth(Protocol):
    """The caller's way to be noticed: by sound, or typed."""

    sounds: list[Sound]
    """Everything so far that the other side was given."""
    typed: bool
    """There is nothing to hear, so nothing that is no word."""

    async def prepare(self, pieces: Sequence[Piece]) -> Utterance:
        """Make the sound, and say nothing yet."""

    @property
    def busy(self) -> bool:
        """Something is being uttered."""

    async def utter(self, utterance: Utterance) -> None:
        """Say it, to its end, as soon as what is being uttered is over."""

    def listening_s(self, heard: str) -> float:
        """How long it takes to hear this, beyond the time that has passed already."""

    def hang_up(self) -> None: ...


@dataclass(frozen=True)
class Utterance:
    """Pieces, ready to be uttered."""

    pieces: Sequence[Piece]
    pcm: bytes = b""
    spans_ms: Sequence[tuple[float, float]] = ()
    """Where in it each piece sounds; (0, 0) for one without a sound."""


class Wire(Protocol):
    """The caller's end of the line."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def position_ms(self) -> float:
        """How much of the caller's audio has gone down the line: where in the recording the next chunk begins."""

    async def speak(self, pcm: bytes) -> bool:
        """Returns when the last sample is on the line."""

    def hang_up(self) -> None: ...


class Voice(Protocol):
    async def say(self, text: str) -> bytes: ...


class SpeakingMouth:
    """By sound, one utterance at a time."""

    typed = False

    def __init__(self, wire: Wire, voice: Voice, dice: Dice) -> None:
        self.sounds: list[Sound] = []
        self._wire = wire
        self._voice = voice
        self._dice = dice
        self._one_at_a_time = asyncio.Lock()

    async def prepare(self, pieces: Sequence[Piece]) -> Utterance:
        pcm = bytearray()
        spans: list[tuple[float, float]] = []
        for piece in pieces:
            pcm += bytes(2 * int(piece.pause_ms * self._wire.rate_hz / 1000))
            made = await self._made(piece)
            begins_ms = self._ms(len(pcm))
            pcm += made
            first_ms, last_ms = self._edges_ms(piece, made)
            spans.append((begins_ms + first_ms, begins_ms + last_ms) if last_ms else (0.0, 0.0))
        return Utterance(pieces, bytes(pcm), spans)

    @property
    def busy(self) -> bool:
        return self._one_at_a_time.locked()

    async def utter(self, utterance: Utterance) -> None:
        async with self._one_at_a_time:
            began_ms = self._wire.position_ms
            try:
                await self._wire.speak(utterance.pcm)
            finally:
                self._label(utterance, began_ms)

    def listening_s(self, heard: str) -> float:
        return 0.0

    def hang_up(self) -> None:
        self._wire.hang_up()

    def _label(self, utterance: Utterance, began_ms: float) -> None:
        """What of the utterance went down the line: the call may have ended in the middle of it."""
        until_ms = self._wire.position_ms
        for piece, (starts, ends) in zip(utterance.pieces, utterance.spans_ms, strict=True):
            if ends > 0 and began_ms + starts < until_ms:
                self.sounds.append(
                    Sound(
                        kind=piece.kind,
                        starts_ms=round(began_ms + starts, 3),
                        ends_ms=round(min(began_ms + ends, until_ms), 3),
                        text=piece.text,
                        interrupts=piece.interrupts,
                        confused=piece.confused,
                    )
                )

    async def _made(self, piece: Piece) -> bytes:
        if piece.pcm is not None:
            return piece.pcm
        if piece.noise:
            return cough.sound(piece.noise, self._wire.rate_hz, self._dice.of("sound of coughs"))
        pcm = await self._voice.say(piece.text)
        return _softer(pcm, SIDE_SPEECH_DB) if piece.kind == "side_speech" else pcm

    def _edges_ms(self, piece: Piece, pcm: bytes) -> tuple[float, float]:
        """Between which times it sounds: all but the silence at both ends; (0, 0) when there is only silence."""
        if piece.margin_ms:  # what was recorded has the noise of its line, and is no silence anywhere
            return piece.margin_ms, max(piece.margin_ms, self._ms(len(pcm)) - piece.margin_ms)
        loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > _SILENT)
        return (self._ms(2 * int(loud[0])), self._ms(2 * int(loud[-1] + 1))) if len(loud) else (0.0, 0.0)

    def _ms(self, size: int) -> float:
        """Of so many bytes."""
        return size / 2 * 1000 / self._wire.rate_hz


def _softer(pcm: bytes, db: float) -> bytes:
    return (np.frombuffer(pcm, "<i2") * 10 ** (db / 20)).astype("<i2").tobytes()
