"""The caller's audio as it comes over a network, put in order before the ear hears it.

What comes twice or too late is left out. Where audio is missing there is silence of the same length, so that the
call's record keeps in step with the clock. Nobody can pour in more than a moment lasts.
"""

from __future__ import annotations

from voicebot.transports.dialect import Audio, Misread

_MOST_AHEAD_S = 2.0
"""More audio than time has passed: what the network held back may come at once, but not much before it was spoken."""
_GAP_MS = 10


class Order:
    """One call's, which began at `since_s` (loop time). `rate_hz` is that of the audio, s16le mono."""

    def __init__(self, rate_hz: int, since_s: float) -> None:
        self._per_s = 2 * rate_hz
        self._since_s = since_s
        self._bytes = 0
        self._number = -1
        self._next_ms: int | None = None
        """Where the next audio begins when none is missing."""

    def admit(self, audio: Audio, now_s: float) -> bytes:
        """What the ear is to hear now: the audio, behind the silence that stands for what is missing.

        Raises Misread when the audio comes late, again, or before its time.
        """
        if audio.number is not None:
            if audio.number <= self._number:
                raise Misread(f"audio {audio.number} came after audio {self._number}")
            self._number = audio.number
        behind_s = now_s - self._since_s - (self._bytes + len(audio.pcm)) / self._per_s
        if behind_s < -_MOST_AHEAD_S:
            raise Misread("audio comes faster than anybody speaks")
        pcm = self._missing(audio, behind_s) + audio.pcm
        self._bytes += len(pcm)
        return pcm

    def _missing(self, audio: Audio, behind_s: float) -> bytes:
        """Never more than what the clock misses, too: then the audio is not missing but late."""
        if audio.starts_ms is None:
            return b""
        gap_ms = 0 if self._next_ms is None else audio.starts_ms - self._next_ms
        self._next_ms = audio.starts_ms + round(len(audio.pcm) * 1000 / self._per_s)
        if gap_ms < _GAP_MS or behind_s <= 0:
            return b""
        return bytes(2 * round(min(gap_ms / 1000, behind_s) * self._per_s / 2))
