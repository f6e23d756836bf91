"""What the agent says in a call, and how much of it was heard. It outlives the connections that carry it.

A browser plays sound as it comes and does not say when. What has been sent counts as heard when it should have come out
of the loudspeaker by now (the page tells how long that takes) and the browser has been heard of since: what was sent
into a network that was gone by then is said again when there is one.
"""

from __future__ import annotations

import asyncio
from collections import deque

FRAME_MS = 20
HOLD_S = 1.0
"""Nothing has come from the browser for so long: the network is gone, and the agent waits."""
_DELAY_S = 0.12
"""From here to the loudspeaker, until the page says better: a network nearby, and the browser's own buffer."""
_LONGEST_DELAY_S = 1.5


class Speech:
    """One call's, s16le mono at `rate_hz`. Plain calls on the event loop."""

    def __init__(self, rate_hz: int) -> None:
        self.taker: object = None
        """Who may take frames: the track of the connection that is in use."""
        self._frame = 2 * rate_hz * FRAME_MS // 1000
        self._delay_s = _DELAY_S
        self._waiting = bytearray()
        self._sent: deque[tuple[float, bytes]] = deque()
        """(when, what) of frames that may not have been heard."""
        self._final_s = self._came_s = _now_s()
        """What was sent before that is never said again; when the browser was last heard of."""
        self._heard = 0
        self._ready = asyncio.Event()

    @property
    def waiting_s(self) -> float:
        """Sound that has not been sent."""
        return len(self._waiting) / self._frame * FRAME_MS / 1000

    @property
    def quiet_s(self) -> float:
        """For how long nothing has come from the browser."""
        return _now_s() - self._came_s

    def delay(self, delay_s: float) -> None:
        """How long sound takes from here to the caller's ear."""
        self._delay_s = min(max(0.0, delay_s), _LONGEST_DELAY_S)

    def play(self, pcm: bytes) -> None:
        self._waiting += pcm
        if self._waiting:
            self._ready.set()

    def clear(self) -> None:
        """What has been sent sounds; nothing else does."""
        self._waiting.clear()
        self._ready.clear()
        self._final_s = _now_s()

    def played(self) -> int:
        """Samples that have been heard."""
        until_s = _now_s() - self._delay_s
        while self._sent and self._sent[0][0] <= until_s and self._sent[0][0] < self._came_s:
            self._heard += len(self._sent.popleft()[1]) // 2
        return self._heard

    def came(self) -> None:
        """Something has come from the browser."""
        self._came_s = _now_s()
        if self._waiting:
            self._ready.set()

    def take(self, taker: object) -> bytes | None:
        """The next frame, which is sent now; the last one of a sentence may be short. None: there is nothing to say,
        or nobody to say it to."""
        if taker is not self.taker:
            return None
        if self.quiet_s > HOLD_S:
            self._take_back()
            self._ready.clear()
            return None
        pcm = bytes(self._waiting[: self._frame])
        if not pcm:
            self._ready.clear()
            return None
        del self._waiting[: self._frame]
        self.played()  # or `_sent` would grow for as long as nobody asks
        self._sent.append((_now_s(), pcm))
        return pcm

    async def something(self, within_s: float) -> None:
        """Returns when there may be something to take, or after `within_s`."""
        try:
            await asyncio.wait_for(self._ready.wait(), within_s)
        except TimeoutError:
            return

    def _take_back(self) -> None:
        """What went out since the browser was last heard of, and was not cleared."""
        while self._sent and self._sent[-1][0] >= self._came_s and self._sent[-1][0] > self._final_s:
            self._waiting[:0] = self._sent.pop()[1]


def _now_s() -> float:
    return asyncio.get_running_loop().time()
