"""A room with an open loudspeaker: the microphone hears the caller and, a little later and softer, the agent."""

from __future__ import annotations

import numpy as np

from voicebot.media.duplex import Duplex
from voicebot.media.echo import EchoCanceller
from voicebot.transports import Ear, HangUp
from voicebot.transports.link import Link

RATE_HZ = 16000
DELAY_MS = 50
ECHO_DB = -6.0


class _Cleaned:
    """Stands between the room's microphone and the ear, as the sound card's callback does."""

    def __init__(self, ear: Ear, room: Room) -> None:
        self._ear = ear
        self._room = room

    def audio(self, pcm: bytes) -> None:
        self._ear.audio(self._room.hears(pcm))

    def text(self, text: str) -> None:
        self._ear.text(text)


class Room(Link):
    """A `Link` whose caller sits before open speakers; `cancel=False` leaves the echo in."""

    def __init__(self, caller: str, *, cancel: bool = True) -> None:
        super().__init__(caller, RATE_HZ)
        self.sound = Duplex(RATE_HZ, EchoCanceller(RATE_HZ) if cancel else None)
        self._air = np.zeros(RATE_HZ * DELAY_MS // 1000, np.int16)
        """What the loudspeaker has played and the microphone has not heard yet."""
        self.echo_power = self.left_power = 0.0
        """Sums of squares, while only the agent speaks: of the echo, and of what is left of it."""

    def hears(self, caller: bytes) -> bytes:
        said = np.frombuffer(caller, np.int16)
        echo = self._air[: len(said)] * 10 ** (ECHO_DB / 20)
        microphone = np.clip(said + echo, -32768, 32767).astype(np.int16)
        loudspeaker = self.sound.loudspeaker(len(caller))
        clean = self.sound.microphone(microphone.tobytes())
        self._air = np.concatenate([self._air[len(said) :], np.frombuffer(loudspeaker, np.int16)])
        if not self._speech and np.abs(echo).max() > 300:
            self.echo_power += float(np.square(echo).sum())
            self.left_power += float(np.square(np.frombuffer(clean, np.int16).astype(float)).sum())
        return clean

    @property
    def return_loss_db(self) -> float:
        """Echo return loss enhancement: how much softer the echo became."""
        return float(10 * np.log10(self.echo_power / self.left_power))

    async def run(self, ear: Ear) -> HangUp:
        return await super().run(_Cleaned(ear, self))

    def play(self, pcm: bytes) -> None:
        super().play(pcm)
        self.sound.play(pcm)

    def clear(self) -> None:
        super().clear()
        self.sound.clear()

    def played(self) -> int:
        return self.sound.played()
