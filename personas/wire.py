"""The telephone of a simulated caller: a `Link` whose sound takes the way of the caller's `Line`."""

from __future__ import annotations

from voicebot.transports.link import Link

from .line import Line
from .medium import LineMedium


class Wire(Link):
    """The same line and seed give the same noise and the same losses."""

    def __init__(self, caller: str, line: Line, *, seed: int = 0) -> None:
        super().__init__(caller, line.rate_hz, medium=LineMedium(line, seed), seed=seed)
