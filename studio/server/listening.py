"""Listening in on a running call: its recording comes as it grows, and sounds a second later."""

from __future__ import annotations

import struct
import threading
from collections.abc import AsyncIterator

import numpy as np

from voicebot.errors import Unavailable
from voicebot.transports import cards
from voicebot.transports.cards import Device, Stream

_HEADER = 44
"""Bytes of a WAV before its sound, as the server writes it."""
_MOST_S = 5.0
"""Of sound that waits. What comes too fast is dropped: this is about now."""
_BLOCK_MS = 20
_RATES = range(8000, 48001)
_FORMAT = struct.Struct("<4s18xHI6xH")
"""Of a WAV: what it is, channels, samples a second, bits of each."""


class Listening:
    """`open`, then `play` until the call is over; `stop` at any time."""

    def __init__(self) -> None:
        self._device: Device | None = None
        self._stream: Stream | None = None
        self._waiting = bytearray()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Find a loudspeaker; blocks. Raises Unavailable without one."""
        self._device = cards.choose(cards.cards().devices(), "output", None)

    async def play(self, sound: AsyncIterator[bytes]) -> None:
        """Until it ends. Raises Unavailable for what is no sound."""
        head, rest, rate_hz = b"", b"", 0
        async for piece in sound:
            if not rate_hz:
                head += piece
                if len(head) < _HEADER:
                    continue
                rate_hz, piece = _rate_of(head), head[_HEADER:]
                self._begin(rate_hz)
            piece = rest + piece
            whole = len(piece) // 4 * 4
            rest = piece[whole:]
            self._put(piece[:whole], rate_hz)

    def _begin(self, rate_hz: int) -> None:
        assert self._device is not None
        self._stream = cards.cards().speak(self._device, rate_hz, rate_hz * _BLOCK_MS // 1000, self._give)

    def _put(self, stereo: bytes, rate_hz: int) -> None:
        both = np.frombuffer(stereo, np.int16).reshape(-1, 2).astype(np.int32)
        mono = both.sum(axis=1).clip(-32768, 32767).astype(np.int16).tobytes()
        with self._lock:
            self._waiting += mono
            del self._waiting[: max(len(self._waiting) - int(2 * rate_hz * _MOST_S), 0) // 2 * 2]

    def _give(self, size: int) -> bytes:
        """Called from the sound card's thread."""
        with self._lock:
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
        return piece.ljust(size, b"\0")

    def stop(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _rate_of(head: bytes) -> int:
    """Samples a second, of 16-bit stereo. Raises Unavailable."""
    kind, channels, rate_hz, bits = _FORMAT.unpack(head[: _FORMAT.size])
    if kind != b"RIFF" or channels != 2 or bits != 16 or rate_hz not in _RATES:
        raise Unavailable("what the server sends is no sound that can be played.")
    return int(rate_hz)
