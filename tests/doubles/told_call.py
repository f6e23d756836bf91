"""A spoken call whose events are compared: what happened and when, in the call's own time.

As a program it is a process of its own that may write no file beyond so many bytes, as on a full disk:

    python -m tests.doubles.told_call FOLDER BYTES        # prints what happened, its log goes to stderr
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.doubles.spoken import SpokenCall
from voicebot import events, logs
from voicebot.call.telling import Face

HEARS = ["i would like to book a table", "thank you goodbye"]
SAYS = ["Of course. For how many people would that be?", "Goodbye."]


class ToldCall(SpokenCall):
    """Two turns. `between` is called behind each answer."""

    def __init__(self, face: Face | None = None, record: Path | None = None) -> None:
        super().__init__(HEARS, SAYS, record=record)
        self.between: Callable[[], None] = lambda: None
        self._face = face

    def hold(self) -> events.CallEnded:
        return self.play(_turns)

    def _subscribed(self) -> None:
        if self._face:
            self.call.subscribe(self._face)

    @property
    def timeline(self) -> list[tuple[str, int, float]]:
        """What was heard from when to when, and how it ended."""
        heard = [("said", each.turn, round(each.ends_ms - each.starts_ms)) for each in self.all(events.AgentSaying)]
        stopped = [(f"stopped {each.heard}", each.turn, 0.0) for each in self.all(events.AgentSpeechStopped)]
        return [*heard, *stopped, (self.only(events.CallEnded).reason, 0, 0.0)]

    @property
    def gaps_ms(self) -> list[float]:
        """Silences in the middle of answers."""
        said = self.all(events.AgentSaying)
        pairs = [(one, other) for one, other in pairwise(said) if one.turn == other.turn]
        return [round(other.starts_ms - one.ends_ms, 1) for one, other in pairs]

    @property
    def held_up_ms(self) -> float:
        """How long the event loop was held up at the most."""
        lags = [each.lag_ms for each in self.events]
        return max((after - before for before, after in pairwise(lags)), default=0.0)


async def _turns(call: SpokenCall) -> None:
    assert isinstance(call, ToldCall)
    call._subscribed()
    await call.until(events.AgentSpeechStopped)
    for number, _ in enumerate(HEARS, 2):
        await asyncio.sleep(0.5)
        await call.say("I say something here.")
        await call.until(events.AgentSpeechStopped, number)
        call.between()


if __name__ == "__main__":
    folder, most = Path(sys.argv[1]), int(sys.argv[2])
    logs.begin("json")
    call = ToldCall(record=folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    call.hold()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sys.stdout.write(json.dumps({"timeline": call.timeline, "gaps_ms": call.gaps_ms, "held_up_ms": call.held_up_ms}))
