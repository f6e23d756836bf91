"""What the studio and the process of a call say to each other: one JSON object a line, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from voicebot.events import Event


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# -- the studio's orders -------------------------------------------------------------------------------------------


class Begin(_Message):
    """Make this call. The first order, and given once."""

    do: Literal["begin"] = "begin"
    agent: Path
    """The agent's file."""
    caller: Literal["typing", "microphone", "recording"] = "typing"
    recording: Path | None = None
    microphone: str | None = None
    """The device, as with `voicebot talk --input`."""
    loudspeaker: str | None = None
    headphones: bool = False
    memory: dict[str, Any] | None = None
    """Go on from here (`voicebot.brain.rewound.Remembered`) instead of greeting."""
    say: str = ""
    """What the caller says first."""


class Say(_Message):
    """The caller says this, in writing."""

    do: Literal["say"] = "say"
    text: str


class Interrupt(_Message):
    """The agent falls silent, as if the caller had barged in."""

    do: Literal["interrupt"] = "interrupt"


class Mute(_Message):
    do: Literal["mute"] = "mute"
    on: bool


class HangUp(_Message):
    do: Literal["hang_up"] = "hang_up"


Order = Annotated[Begin | Say | Interrupt | Mute | HangUp, Field(discriminator="do")]


# -- what the process tells ------------------------------------------------------------------------------------------


class Ready(_Message):
    """The engine is in memory: a call begins at once."""

    told: Literal["ready"] = "ready"


class Happened(_Message):
    told: Literal["happened"] = "happened"
    event: Event


class Levels(_Message):
    """How loud both sides are, a few times a second, while there is a microphone."""

    told: Literal["levels"] = "levels"
    microphone_db: float
    agent_db: float


class Kept(_Message):
    """What the agent remembers, now that the caller has heard its answer to `turn` (0: the greeting)."""

    told: Literal["kept"] = "kept"
    turn: int
    memory: dict[str, Any]


class Over(_Message):
    """The call has ended, and its record is on the disk."""

    told: Literal["over"] = "over"
    folder: Path | None
    failed: str = ""
    """Why it broke off, if it did."""
    left_out: int = 0
    """Reports that the studio was too slow to take; the record has the events."""


class Broke(_Message):
    """There is no call, or no longer: what is wrong, in a sentence."""

    told: Literal["broke"] = "broke"
    sentence: str
    is_bug: bool = False
    """Nobody raised this on purpose; the traceback went to stderr."""


Report = Annotated[Ready | Happened | Levels | Kept | Over | Broke, Field(discriminator="told")]

ORDERS: TypeAdapter[Order] = TypeAdapter(Order)
REPORTS: TypeAdapter[Report] = TypeAdapter(Report)
