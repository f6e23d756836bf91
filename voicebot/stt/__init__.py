"""Speech to text: what every provider offers. One file a provider; `voicebot.providers` knows their names.

An `STT` is loaded once per process and agent and shared by all calls. Each call opens one `STTStream`,
which hears only stretches of caller speech (with pre-roll), never silence between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Transcript:
    text: str
    """What was said, lower case or written form as the provider gives it; '' when nothing was understood."""
    confidence: float | None = None


class STTStream(Protocol):
    """One call's ear. All methods are called on the event loop and never block it."""

    def start(self) -> None:
        """A stretch of speech begins. Follows creation or `finish`/`cancel`."""

    def feed(self, pcm: bytes) -> None:
        """The next s16le mono samples at the stream's rate, any length."""

    async def finish(self) -> Transcript:
        """The stretch is over: its final transcript. `start` may be called again afterwards."""

    def cancel(self) -> None:
        """Forget the stretch."""

    async def close(self) -> None:
        """The call is over; free what it held."""


class STT(Protocol):
    @property
    def name(self) -> str:
        """The provider and its model or voice, for the record."""

    async def load(self) -> None:
        """Make models ready, off the event loop. Idempotent; safe to call from several calls at once."""

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> STTStream:
        """A new call's ear. `on_interim(text)` is called on the event loop with the stretch's words so far."""
