"""What makes the calls of a batch, as its client sees it: one call for one id, and whatever a test wants of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voicebot.telephony.batch.rest import Seen


@dataclass
class BatchServer:
    """In place of `Rest`. `outcomes` of a number, one a call; without, somebody answers."""

    outcomes: dict[str, list[str]] = field(default_factory=dict)
    raises: Mapping[str, deque[Any]] = field(default_factory=dict)
    """What is raised before a number is dialled."""
    dialled: Counter[str] = field(default_factory=Counter)
    calls: dict[str, Seen] = field(default_factory=dict)
    on_call: Callable[[str], Any] = lambda number: None
    holds: int = 0
    """Calls go on until there are so many of them at the same time, or `total` were made."""
    total: int = 0
    running: int = 0
    most: int = 0
    """Calls at the same time."""

    async def call(self, agent: str, to: str, *, call_id: str, **more: Any) -> Seen:
        if call_id in self.calls:
            return self.calls[call_id]
        if self.raises.get(to):
            raise self.raises[to].popleft()
        self.dialled[to] += 1
        self.running += 1
        self.most = max(self.most, self.running)
        self.calls[call_id] = Seen(id=call_id, state="expected")
        self.on_call(to)
        outcome = (self.outcomes.get(to) or ["answered"]).pop(0)
        over = {"state": "ended", "reason": outcome}
        if outcome == "answered":
            over |= {"reason": "caller_hung_up", "started_at": "2026-01-01T00:00:00Z"}
        self._over[call_id] = Seen(id=call_id, **over)
        return self.calls[call_id]

    async def look(self, call_id: str) -> Seen:
        held = self.running < self.holds and self.dialled.total() < self.total
        if not held and not self.calls[call_id].over:
            self.running -= 1
            self.calls[call_id] = self._over[call_id]
        return self.calls[call_id]

    async def latest(self) -> list[Seen]:
        """All but the first call, which is so far back that it has to be asked for by itself."""
        return [await self.look(call_id) for call_id in list(self.calls)[1:]]

    def __post_init__(self) -> None:
        self._over: dict[str, Seen] = {}
