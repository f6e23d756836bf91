"""How much a run may take: money, time. When it is used up, no further call begins and those under way end well."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from voicebot.errors import BadInput
from voicebot.evals.result import Result

_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass
class Budget:
    """None is no limit."""

    usd: float | None = None
    seconds: float | None = None
    spent_usd: float = 0.0
    unpriced: set[str] = field(default_factory=set)
    """What was used and has no price, so that more may have been spent."""
    _began_s: float = field(default_factory=time.monotonic)

    def pay(self, result: Result) -> None:
        """A call has ended, counted or not: it cost what it cost."""
        self.spent_usd += result.measures.priced_usd
        self.unpriced.update(result.measures.unpriced)

    @property
    def used_up(self) -> str:
        """Why no further call may begin, in a few words; '' while some may."""
        if self.usd is not None and self.spent_usd >= self.usd:
            return f"${self.spent_usd:.2f} of ${self.usd:.2f} spent"
        if self.seconds is not None and time.monotonic() - self._began_s >= self.seconds:
            return f"{self.seconds:.0f} s are over"
        return ""


def seconds_of(text: str) -> float:
    """'90', '90s', '10m', '1h30m' -> seconds. Raises BadInput."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip())
    if parts is None or not any(parts.groups()):
        raise BadInput(f"'{text}' is no time. Write it as 90s, 10m or 1h30m.")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return float(hours * _UNITS["h"] + minutes * _UNITS["m"] + seconds)
