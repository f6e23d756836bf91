"""Where a call's audio comes from and goes to: microphone, file, persona, telephone, browser.

A transport delivers the caller's sound to an `Ear` and takes the agent's audio ahead of time: `play` queues it,
`clear` drops what has not been heard, `played` says how much has been. Nothing wakes up every 20 ms for the mouth.
"""

from __future__ import annotations

from typing import Literal, Protocol

HangUp = Literal["caller_hung_up", "input_ended", "interrupted"]


class Ear(Protocol):
    """What a transport pours the caller into. Plain calls on the event loop; they never block."""

    def audio(self, pcm: bytes) -> None:
        """The next s16le mono samples of the caller at the transport's rate, in real order, silence included."""

    def text(self, text: str) -> None:
        """A whole turn of a caller who types."""


class Transport(Protocol):
    name: str
    caller: str
    """Who calls, for the record."""
    rate_hz: int
    """8000 or 16000, both ways; 0 when the conversation is typed."""

    async def run(self, ear: Ear) -> HangUp:
        """Deliver the caller until they are gone. Cancelled when the agent ends the call."""

    def play(self, pcm: bytes) -> None:
        """Queue agent audio (s16le mono at rate_hz) behind what is already queued."""

    def clear(self) -> None:
        """Drop everything that has not been heard."""

    def played(self) -> int:
        """Samples of agent audio heard so far in this call (never counts what `clear` dropped)."""


class Line(Transport, Protocol):
    """A transport of a server's, which may be hung up from here."""

    async def hang_up(self) -> None:
        """Close it, after the call or before it; idempotent."""
