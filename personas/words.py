"""What a caller says next: one protocol for rules, a script, a language model and a recording.

The caller (`caller.py`) drives it: it alone knows the time, and asks for words when there is something to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .truth import Kind


@dataclass(frozen=True)
class Move:
    """What to say, and whether that is the end."""

    say: str = ""
    hang_up: bool = False
    confused: bool = False
    """Said because the agent makes no sense."""
    kind: Kind = "speech"
    """Anything but speech wants no answer and is no turn of the caller's."""
    pcm: bytes | None = None
    """The sound itself, where it is known already: s16le mono at the line's rate."""
    margin_ms: float = 0.0
    """How much of `pcm` at both ends is not the sound yet."""


class CallerBroke(Exception):
    """The simulation of the caller cannot go on. The sentence is shown as why the run is invalid."""


class Words(Protocol):
    """One caller's side of one conversation. `heard` is all the agent said since the caller last spoke, in words."""

    lost: list[str]
    """Every misunderstanding, as the caller would tell it."""

    @property
    def wants(self) -> Mapping[str, str]:
        """The facts as they must come out."""

    @property
    def content(self) -> bool:
        """The caller believes to have got what they wanted."""

    @property
    def pause_ms(self) -> float | None:
        """Silence between the agent's last sound and the next words; None for the persona's reaction time."""

    @property
    def unprompted_ms(self) -> float | None:
        """So long after the caller's own last words the next ones come, even if the agent says nothing; None where
        they wait for the agent."""

    @property
    def cut_in_ms(self) -> float | None:
        """So long after the beginning of the agent's reply the next sound comes, whatever is said; None otherwise."""

    def cuts_in(self, heard: str, clause: str) -> bool:
        """Whether the caller interrupts now: `clause` is what was heard of the present clause, and stands in `heard`
        too."""

    async def answer(self, heard: str, *, cutting_in: bool = False) -> Move | None:
        """The next words; None to go on listening. Raises CallerBroke."""

    async def silence(self) -> Move | None:
        """The agent has said nothing for too long; None to wait on. Raises CallerBroke."""

    async def again(self) -> Move | None:
        """The caller spoke, and the agent talked on without an answer. Raises CallerBroke."""
