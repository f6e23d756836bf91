"""What is kept of a batch, and must be there after a crash: `voicebot.server.state.Batches` keeps it in a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

DialState = Literal["waiting", "dialling", "done"]
Outcome = Literal[
    "answered", "voicemail", "busy", "no_answer", "canceled", "failed", "lost", "in_doubt", "not_called", "invalid"
]
"""What became of a number. `lost`: the call was answered, and its server died. `in_doubt`: nobody knows whether it was
dialled. `not_called`: it may not be. `invalid`: it is none."""


@dataclass(frozen=True)
class BatchRow:
    name: str
    agent: str
    source: str
    """The file that its numbers came from."""
    created_at: datetime


@dataclass(frozen=True)
class DialRow:
    """One number of a batch."""

    batch: str
    number: str
    place: int
    """In the file."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    state: DialState = "waiting"
    attempts: int = 0
    """How often it was dialled, the present time included."""
    not_before: datetime | None = None
    call_id: str = ""
    """Of the call that is being made, or was; it is known before anybody dials."""
    dialled_at: datetime | None = None
    outcome: str = ""
    """Of the last attempt; '' while there is none."""
    detail: str = ""


class Ledger(Protocol):
    """Each method has committed what it says when it returns. Raises Unavailable."""

    async def open(self, name: str, agent: str, source: str) -> BatchRow: ...

    async def add(self, rows: Iterable[DialRow]) -> int: ...

    async def rows(self, batch: str, state: DialState | None = None) -> list[DialRow]: ...

    async def counts(self, batch: str) -> dict[str, int]: ...

    async def due(self, batch: str, most: int, moment: datetime) -> list[DialRow]: ...

    async def next_due(self, batch: str) -> datetime | None: ...

    async def intend(self, row: DialRow, call_id: str) -> bool: ...

    async def again(self, row: DialRow, until: datetime, outcome: str, detail: str) -> None: ...

    async def put_back(self, row: DialRow, until: datetime, why: str) -> None: ...

    async def finish(self, row: DialRow, outcome: str, detail: str = "") -> None: ...
