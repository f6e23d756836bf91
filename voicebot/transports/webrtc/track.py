"""The agent's sound as a track of aiortc's: one Opus packet every 20 ms while the agent speaks.

Opus is made here, at the rate of the call and on the event loop (0.2 ms a packet), instead of by aiortc, which has it
resampled to 48 kHz stereo and hands each packet to a thread. When the agent is silent, one byte every 400 ms says so
(RFC 6716, section 2.1.9): nobody wakes up every 20 ms for silence.
"""

from __future__ import annotations

import asyncio
from fractions import Fraction

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, CodecContext, Packet

from .speech import FRAME_MS, Speech

_CLOCK_HZ = 48000
"""Of Opus in RTP, at whatever rate the sound is (RFC 7587)."""
_TICK = Fraction(1, _CLOCK_HZ)
_FRAME_S = FRAME_MS / 1000
_TAIL_FRAMES = 5
"""Silence that is sent behind speech: the browser has to fill the pause with something that ends softly."""
_SIGN_OF_LIFE_S = 0.4
_NO_SOUND = bytes([9 << 3])
"""20 ms of wideband speech, mono, in no bytes at all."""
_LATE_S = 0.2
"""Frames that are later than that are not sent in a burst: the clock is set anew."""
_BITS_PER_S = 32000


class Track(MediaStreamTrack):  # type: ignore[misc] # aiortc's types are not read: it is an extra
    """Of one connection."""

    kind = "audio"

    def __init__(self, speech: Speech, rate_hz: int) -> None:
        super().__init__()
        self._speech = speech
        self._rate_hz = rate_hz
        self._samples = rate_hz * FRAME_MS // 1000
        self._encoder = _encoder(rate_hz)
        self._began_s = asyncio.get_running_loop().time()
        self._number = 0
        """Of the next frame: it is due so many frames after the beginning."""
        self._tail = 0

    async def recv(self) -> Packet:
        """The next packet, when it is due."""
        while self.readyState == "live":
            await self._due()
            if pcm := self._speech.take(self):
                self._tail = _TAIL_FRAMES
                return self._packet(self._encode(pcm))
            if self._tail:
                self._tail -= 1
                return self._packet(self._encode(b""))
            before = self._number
            await self._speech.something(_SIGN_OF_LIFE_S)
            self._catch_up()
            if self._number - before >= _SIGN_OF_LIFE_S / _FRAME_S - 1:
                return self._packet(_NO_SOUND)
        raise MediaStreamError

    async def _due(self) -> None:
        wait_s = self._began_s + self._number * _FRAME_S - _now_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        elif wait_s < -_LATE_S:
            self._catch_up()

    def _catch_up(self) -> None:
        self._number = max(self._number, int((_now_s() - self._began_s) / _FRAME_S))

    def _encode(self, pcm: bytes) -> bytes:
        frame = AudioFrame(format="s16", layout="mono", samples=self._samples)
        frame.planes[0].update(pcm.ljust(2 * self._samples, b"\0"))
        frame.sample_rate = self._rate_hz
        frame.time_base = Fraction(1, self._rate_hz)
        frame.pts = self._number * self._samples
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame)) or _NO_SOUND

    def _packet(self, opus: bytes) -> Packet:
        packet = Packet(opus)
        packet.time_base = _TICK
        packet.pts = self._number * _CLOCK_HZ * FRAME_MS // 1000
        self._number += 1
        return packet


def _encoder(rate_hz: int) -> CodecContext:
    encoder = CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format, encoder.layout = rate_hz, "s16", "mono"
    encoder.time_base = Fraction(1, rate_hz)
    encoder.bit_rate = _BITS_PER_S
    encoder.options = {"application": "voip", "frame_duration": str(FRAME_MS), "fec": "1", "packet_loss": "5"}
    return encoder


def _now_s() -> float:
    return asyncio.get_running_loop().time()
