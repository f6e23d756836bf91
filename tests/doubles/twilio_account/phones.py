"""The telephones that Twilio reaches, and that reach Twilio: what becomes of a call to each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.doubles.twilio_account.calls import PhoneCall

Answer = Literal["human", "machine", "busy", "no-answer", "failed"]
Talk = Callable[["PhoneCall"], Awaitable[None]]
"""What whoever is at the telephone does from the answer on; they hang up when it returns."""


@dataclass
class Phone:
    """Of one number. `ring_s`, and how long it takes until a machine is found out, are in Twilio's seconds."""

    answer: Answer = "human"
    ring_s: float = 1.0
    answered_by: str = ""
    """What answering machine detection finds; '': what is true."""
    detection_s: float = 2.0
    choices: list[str] = field(default_factory=list)
    """What they answer to each <Gather>: a key, or words; '' and none: nothing."""
    talk: Talk | None = None
    """Without it they stay on the line until the other side hangs up."""

    def found(self, detection: str) -> str:
        """`AnsweredBy`, for a `MachineDetection` of Enable or DetectMessageEnd."""
        if self.answered_by:
            return self.answered_by
        if self.answer == "human":
            return "human"
        return "machine_end_beep" if detection == "DetectMessageEnd" else "machine_start"
