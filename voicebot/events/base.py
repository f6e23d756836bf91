"""What every event of a call has: see `voicebot.events`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    t_ms: float
    """Milliseconds since the call was answered, on the call's clock."""
    lag_ms: float = 0.0
    """How much later it would have happened on the real clock: computing that `t_ms` does not count. 0 there."""
    turn: int = 0
