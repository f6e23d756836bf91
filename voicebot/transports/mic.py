"""The microphone and the loudspeaker of this machine as the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TypeVar

from voicebot.errors import Unavailable
from voicebot.media.duplex import Duplex
from voicebot.media.echo import EchoCanceller
from voicebot.media.resample import Resampler
from voicebot.transports import Ear, HangUp
from voicebot.transports.cards import Cards, Device, Hear, Speak, Stream

RATE_HZ = 16000
BLOCK_MS = 20
STALLED_S = 1.0
"""A sound card that has not called for so long is opened again."""
REOPENINGS = 5
"""How often in a row; then it is gone."""
_BLOCK = RATE_HZ * BLOCK_MS // 1000
Card = TypeVar("Card", Hear, Speak)


class Microphone:
    """A caller at this machine. `sound` has the levels and the mute switch."""

    name = "microphone"
    rate_hz = RATE_HZ

    def __init__(self, cards: Cards, pair: tuple[Device, Device], *, echo_cancellation: bool = True) -> None:
        """`pair`: microphone and loudspeaker. Raises MissingExtra when echo cancellation is not installed."""
        self.caller = pair[0].name
        self._cards = cards
        self._pair = pair
        self.sound = Duplex(RATE_HZ, EchoCanceller(RATE_HZ) if echo_cancellation else None)
        self._hung_up = asyncio.Event()
        self._heard_at = self._spoke_at = 0.0
        """Loop times at which the card last gave and last took a block."""

    def hang_up(self) -> None:
        """The caller ends the call, from the event loop; also before it has begun."""
        self._hung_up.set()

    # -- a Transport -------------------------------------------------------------------------------------------------

    async def run(self, ear: Ear) -> HangUp:
        """Raises Unavailable when the sound card cannot be opened, or is pulled out."""
        loop = asyncio.get_running_loop()
        stalls = 0
        while not self._hung_up.is_set():
            self._heard_at = self._spoke_at = began_at = loop.time()
            streams = await loop.run_in_executor(None, self._open, loop, ear)
            try:
                await self._until_stalled_or_hung_up()
            finally:
                await asyncio.shield(loop.run_in_executor(None, streams.close))
            stalls = stalls + 1 if loop.time() - began_at < 10 * STALLED_S else 1
            if stalls > REOPENINGS:
                raise Unavailable(
                    f"the sound card '{self.caller}' is gone. Plug it in, or choose another with --input."
                )
        return "caller_hung_up"

    async def _until_stalled_or_hung_up(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() - min(self._heard_at, self._spoke_at) < STALLED_S:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hung_up.wait(), STALLED_S / 4)
                return

    def play(self, pcm: bytes) -> None:
        self.sound.play(pcm)

    def clear(self) -> None:
        self.sound.clear()

    def played(self) -> int:
        return self.sound.played()

    # -- the sound card's threads ------------------------------------------------------------------------------------

    def _open(self, loop: asyncio.AbstractEventLoop, ear: Ear) -> ExitStack:
        """Both streams, running. Closing what is returned stops them."""

        def hear(pcm: bytes) -> None:
            self._heard_at = loop.time()
            heard = self.sound.microphone(pcm)
            with suppress(RuntimeError):  # the loop is closed: a call that has just ended needs no more
                loop.call_soon_threadsafe(ear.audio, heard)

        def speak(size: int) -> bytes:
            self._spoke_at = loop.time()
            return self.sound.loudspeaker(size)

        streams = ExitStack()
        try:
            loudspeaker = _at_a_rate_it_can(self._cards.speak, self._pair[1], speak, _SpeakAtRate)
            streams.callback(loudspeaker.close)
            self.sound.latency_s = loudspeaker.latency_s
            streams.callback(_at_a_rate_it_can(self._cards.hear, self._pair[0], hear, _HearAtRate).close)
        except Unavailable:
            streams.close()
            raise
        return streams


def _at_a_rate_it_can(
    run: Callable[[Device, int, int, Card], Stream], device: Device, card: Card, at_rate: Callable[[int, Card], Card]
) -> Stream:
    """The device at the engine's rate where it can do that, else at its own."""
    try:
        return run(device, RATE_HZ, _BLOCK, card)
    except Unavailable:
        if device.rate_hz == RATE_HZ:
            raise
    return run(device, device.rate_hz, device.rate_hz * BLOCK_MS // 1000, at_rate(device.rate_hz, card))


class _HearAtRate:
    """From a microphone at `card_hz`, blocks at the engine's rate."""

    def __init__(self, card_hz: int, hear: Hear) -> None:
        self._hear = hear
        self._resample = Resampler(card_hz, RATE_HZ)
        self._rest = bytearray()

    def __call__(self, pcm: bytes) -> None:
        self._rest += self._resample(pcm)
        while len(self._rest) >= 2 * _BLOCK:
            self._hear(bytes(self._rest[: 2 * _BLOCK]))
            del self._rest[: 2 * _BLOCK]


class _SpeakAtRate:
    """For a loudspeaker at `card_hz`, from blocks at the engine's rate."""

    def __init__(self, card_hz: int, speak: Speak) -> None:
        self._speak = speak
        self._resample = Resampler(RATE_HZ, card_hz)
        self._rest = bytearray()

    def __call__(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._rest += self._resample(self._speak(2 * _BLOCK))
        pcm = bytes(self._rest[:size])
        del self._rest[:size]
        return pcm
