"""Echo cancellation and noise suppression: the agent must not hear itself on open speakers.

WebRTC's audio processing module, as LiveKit ships it (package `livekit`, Apache-2.0).
Source: https://docs.livekit.io/reference/python/livekit/rtc/apm.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voicebot.errors import MissingExtra

FRAME_MS = 10
"""The module works on frames of exactly this length."""


class EchoCanceller:
    """Takes out of the microphone what the loudspeaker plays. One for each call.

    The two directions may run in threads of their own, as a sound card's do. Audio is s16le mono, whole frames.
    """

    def __init__(self, rate_hz: int) -> None:
        """Raises MissingExtra."""
        try:
            from livekit.rtc import AudioFrame
            from livekit.rtc.apm import AudioProcessingModule
        except ImportError as error:
            raise MissingExtra("echo cancellation", "mic") from error
        self.rate_hz = rate_hz
        self._frame: Any = AudioFrame
        self._samples = rate_hz * FRAME_MS // 1000
        self._module = AudioProcessingModule(echo_cancellation=True, noise_suppression=True, high_pass_filter=True)
        self._module.set_stream_delay_ms(0)  # a hint that it wants; it finds the real delay itself

    def loudspeaker(self, pcm: bytes) -> None:
        """What is played next."""
        for frame in self._frames(pcm):
            self._module.process_reverse_stream(frame)

    def microphone(self, pcm: bytes) -> bytes:
        """What was heard, without the echo of what was played."""
        clean = bytearray()
        for frame in self._frames(pcm):
            self._module.process_stream(frame)
            clean += frame.data.cast("B")
        return bytes(clean)

    def _frames(self, pcm: bytes) -> Iterator[Any]:
        size = 2 * self._samples
        for at in range(0, len(pcm), size):
            yield self._frame(bytearray(pcm[at : at + size]), self.rate_hz, 1, self._samples)
