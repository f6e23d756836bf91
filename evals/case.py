"""One cell of a suite: who calls which agent about what, over which line, with which dice.

Two runs are compared case by case: a case has the same id, and the same caller's dice, in both.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Channel = Literal["audio", "phone", "text"]
"""How the caller reaches the agent: by sound through the whole engine, the same by telephone, or typed past ear and
mouth."""


class Case(BaseModel):
    """One call to be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: str
    persona: str
    line: str = "clean"
    seed: int = 0
    agent: str
    channel: Channel = "audio"

    @property
    def id(self) -> str:
        """'books/maria/clean#3': the same in every run of the suite."""
        return f"{self.scenario}/{self.persona}/{self.line}#{self.seed}"

    @property
    def cell(self) -> str:
        """The case without its seed: repetitions of one cell are tries of the same thing."""
        return f"{self.scenario}/{self.persona}/{self.line}"
