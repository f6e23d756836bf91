"""What a simulated caller really did: the ground truth of every sound it made, beside the record of the call.

`truth.jsonl` in the call's folder has one line a sound. Times are milliseconds on the call's clock, the clock of the
events and of `call.wav`. With it, turn-taking is scored exactly: nothing has to be guessed from the waveform.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

FILE = "truth.jsonl"

Kind = Literal["speech", "backchannel", "tic", "cough", "side_speech", "noise"]
"""`speech` wants an answer. A `backchannel` ("uh-huh"), a `tic` (a habit without meaning), a `cough`, `side_speech`
(to somebody else in the room) and `noise` (a door, a passing car) want none and must not stop the agent."""


class Sound(BaseModel):
    """One stretch of sound of the caller's, silence at both ends not counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    starts_ms: float
    ends_ms: float
    text: str = ""
    """The words, as meant; '' where there are none."""
    interrupts: bool = False
    """Speech that was meant to cut the agent short."""
    confused: bool = False
    """The caller says so because the agent makes no sense."""


def read(folder: Path) -> list[Sound]:
    """The truth of the call in `folder`, in order of time; nothing where none was written."""
    path = folder / FILE
    if not path.exists():
        return []
    return [Sound.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(folder: Path, sounds: list[Sound]) -> None:
    """Beside the record of the call."""
    lines = [sound.model_dump_json() for sound in sorted(sounds, key=lambda sound: sound.starts_ms)]
    (folder / FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
