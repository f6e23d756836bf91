"""Text to speech: what every provider offers. One file a provider; `voicebot.providers` knows their names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Word:
    """A word of the utterance and where its sound begins."""

    text: str
    start_ms: float
    """From the start of the utterance's audio (the first chunk of `speak`)."""


@dataclass(frozen=True)
class Speech:
    """A chunk of an utterance."""

    pcm: bytes
    """s16le mono."""
    rate_hz: int
    words: tuple[Word, ...] = ()
    """Words beginning in this chunk, where the provider knows; else empty, and time is shared out by length."""


class TTS(Protocol):
    @property
    def name(self) -> str:
        """The provider and its model or voice, for the record."""

    async def load(self) -> None:
        """Make models ready, off the event loop. Idempotent; safe to call from several calls at once."""

    def speak(self, text: str) -> AsyncIterator[Speech]:
        """The audio of one clause, in chunks as they are made. Closing the iterator stops the work."""
