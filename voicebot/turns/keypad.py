"""Keys that a caller presses, until they make an answer: one key after the other is one number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PAUSE_S = 2.0
"""After so long without another key, the caller is done."""
DONE = "#"
MOST = 64
"""More keys than any answer has: what comes then is thrown away."""


class Keypad:
    """One call's. `entered(keys)` is called on the event loop with each answer, without the '#' that ends it."""

    def __init__(self, entered: Callable[[str], None]) -> None:
        self._entered = entered
        self._keys = ""
        self._timer: asyncio.TimerHandle | None = None

    def press(self, keys: str) -> None:
        """'0'-'9', '*', '#', 'A'-'D'. A '#' with nothing before it is an answer, too."""
        for key in keys:
            self.close()
            if key == DONE:
                self._done(DONE)
                continue
            self._keys = (self._keys + key)[:MOST]
            self._timer = asyncio.get_running_loop().call_later(PAUSE_S, self._done, "")

    def close(self) -> None:
        """The call is over, or goes on: no answer comes of time alone."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _done(self, otherwise: str) -> None:
        keys, self._keys = self._keys or otherwise, ""
        self._timer = None
        self._entered(keys)
