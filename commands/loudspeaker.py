"""Sound that a command made, on this machine's loudspeaker, from its first piece on; or in a file."""

from __future__ import annotations

import threading
import time
import wave
from contextlib import contextmanager
from typing import TYPE_CHECKING

from voicebot.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from voicebot.transports.cards import Cards, Device, Stream

BLOCK_MS = 20


class Loudspeaker:
    """`play` takes pieces of s16le mono, which sound at once and without gaps; leaving the context waits for the end.

    A piece at another sample rate than the first is not taken.
    """

    def __init__(self, wanted: str | None = None) -> None:
        """`wanted`: the device, as with `voicebot talk --output`. Raises BadInput, Unavailable."""
        from voicebot.transports import cards

        self._cards: Cards = cards.cards()
        devices = self._cards.devices()
        if not any(device.can("output") for device in devices):
            raise Unavailable("this machine has no loudspeaker. Plug one in, or write the sound to a file with --out.")
        self._device: Device = cards.choose(devices, "output", wanted)
        self._queue = bytearray()
        self._lock = threading.Lock()
        self._stream: Stream | None = None

    def play(self, pcm: bytes, rate_hz: int) -> None:
        with self._lock:
            self._queue += pcm
        if self._stream is None:
            self._stream = self._cards.speak(self._device, rate_hz, rate_hz * BLOCK_MS // 1000, self._give)

    def finish(self) -> None:
        """Wait until everything was heard."""
        while self._queue:
            time.sleep(BLOCK_MS / 1000)
        if self._stream is not None:
            time.sleep(self._stream.latency_s + 2 * BLOCK_MS / 1000)
            self.stop()

    def stop(self) -> None:
        """Fall silent at once."""
        with self._lock:
            self._queue.clear()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _give(self, size: int) -> bytes:
        with self._lock:
            pcm = bytes(self._queue[:size])
            del self._queue[:size]
        return pcm.ljust(size, b"\0")


@contextmanager
def sounding(loudspeaker: Loudspeaker) -> Iterator[Loudspeaker]:
    try:
        yield loudspeaker
        loudspeaker.finish()
    finally:
        loudspeaker.stop()


def write_wav(path: Path, pcm: bytes, rate_hz: int) -> None:
    """s16le mono as a WAV file. Raises BadInput."""
    try:
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate_hz)
            out.writeframes(pcm)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
