"""What a call over a socket is made of: the socket, what is said on it, and what may be wrong with it.

A `Socket` is all that a server has to give (uvicorn's, picows', websockets', a test's); `Leg` makes a `Transport` of
it; a `Dialect` is how the other side talks: `twilio.py`, `websocket.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from voicebot.errors import BadInput, Unavailable

Message: TypeAlias = str | bytes
"""One websocket message: text or binary."""
MOST_BYTES = 64 * 1024
"""No message may be longer; servers set their own limit to it, so that nobody's megabytes are gathered first."""
GOOD_BYE, GOING_AWAY, VIOLATION, NO_CODE, CUT = 1000, 1001, 1008, 1005, 1006
"""Close codes of RFC 6455, section 7.4.1. The last two are never sent: no code was given, the connection broke."""


class SocketClosed(Exception):
    """There will be no more messages."""

    def __init__(self, code: int = CUT, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.clean = code in (GOOD_BYE, GOING_AWAY, NO_CODE)
        """The other side closed it on purpose."""


class LineLost(Unavailable):
    """The connection of a call broke off."""


class ProtocolError(BadInput):
    """What came over the socket is not the protocol that was agreed on."""


class Misread(ValueError):
    """One message cannot be understood, and is left out."""


class Socket(Protocol):
    """A websocket of which the handshake is done."""

    async def receive(self) -> Message:
        """The next message. Raises SocketClosed."""

    async def send(self, message: Message) -> None:
        """Returns when the other side can take more. Raises SocketClosed."""

    async def close(self, code: int = GOOD_BYE, reason: str = "") -> None:
        """Say goodbye. Does not wait for an answer; idempotent."""


@runtime_checkable
class Pushing(Protocol):
    """A socket that can call somebody for each message: no task has to be woken for it."""

    def listen(self, take: Callable[[Message], None], lost: Callable[[SocketClosed], None]) -> None:
        """From now on; what waits to be received is given at once."""


# -- what is said ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Audio:
    """The next of the caller's sound."""

    pcm: bytes
    """s16le mono."""
    number: int | None = None
    """Counts up from message to message."""
    starts_ms: int | None = None
    """Where in the caller's sound it begins, on the other side's clock."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Touch tones of the caller's."""

    keys: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The other side has played what was sent before this mark."""

    name: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller has."""


Said: TypeAlias = Audio | Keys | Marked | HungUp


class Dialect(Protocol):
    """How one kind of client talks. No state but what the beginning of the call has fixed."""

    name: str
    rate_hz: int
    marks: bool
    """Whether the other side sends marks back."""

    def read(self, message: Message) -> Said | None:
        """What a message says; None: nothing that matters. Raises Misread, ProtocolError."""

    def audio(self, pcm: bytes) -> Message: ...

    def mark(self, name: str) -> Message: ...

    def clear(self) -> Message: ...

    def goodbye(self) -> Message | None:
        """Said before the socket is closed."""


@runtime_checkable
class TakesKeys(Protocol):
    """An `Ear` that takes touch tones."""

    def keys(self, keys: str) -> None:
        """'0'-'9', '*', '#', 'A'-'D', in the order in which they were pressed."""
