"""What happened in one simulated call: the facts that checks and metrics read, with no judgement in them.

A trial is kept as a line of `trials.jsonl` in the folder of its run; events, truth and audio lie in its call's folder.
So every verdict and every figure can be computed again later, without calling anybody.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from voicebot import events
from voicebot.personas import truth

from .case import Case

if TYPE_CHECKING:
    from voicebot.personas.run import SimulatedCall

Stores = dict[str, Any]
"""What the agent's tools keep: 'data/appointments.json' -> its JSON."""


class Trial(BaseModel):
    """One call of a case. Recorded once, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    case: Case
    attempt: int = 1
    """1, or more when earlier attempts were invalid."""
    folder: Path | None = None
    """The call's record: events.jsonl, truth.jsonl, call.wav, agent.yaml."""
    broke: str = ""
    """What of the simulation broke (caller, transport, judge), in one sentence; '' for a call that says something about
    the agent. A broken one is an invalid run: shown apart, tried again, never counted."""
    ended: str = ""
    """The reason of the call's end; '' when it had none."""
    facts: dict[str, str] = {}
    """What the caller wanted in the end, accepted alternatives included."""
    handed_over: str = ""
    """To whom the caller was passed on."""
    confusions: list[str] = []
    """Every misunderstanding the caller noticed."""
    before: Stores = {}
    after: Stores = {}
    call_s: float = 0.0
    """Length of the call on its own clock."""
    wall_s: float = 0.0
    """How long it took to make it."""
    hashes: dict[str, str] = {}
    """'agent', 'prompt', 'tools', 'persona', 'scenario', 'audio' ... -> SHA-256, so that runs can be told apart."""

    @classmethod
    def of(
        cls,
        case: Case,
        call: SimulatedCall,
        *,
        attempt: int = 1,
        wall_s: float | None = None,
        hashes: dict[str, str] | None = None,
    ) -> Trial:
        """What came of a simulated call of `case`. `wall_s` where making it took more than the call itself."""
        return cls(
            case=case,
            attempt=attempt,
            folder=call.folder if call.folder and call.folder.exists() else None,
            broke=call.broke,
            ended=call.ended.reason if call.ended else "",
            facts=dict(call.facts),
            handed_over=call.handed_over or "",
            confusions=list(call.lost),
            before=dict(call.before),
            after=dict(call.after),
            call_s=call.seconds,
            wall_s=call.wall_seconds if wall_s is None else wall_s,
            hashes=hashes or {},
        )

    @cached_property
    def events(self) -> list[events.Event]:
        """What the call told. Empty without a record."""
        path = self.folder / "events.jsonl" if self.folder else None
        if path is None or not path.exists():
            return []
        return [events.parse(line) for line in path.read_bytes().splitlines() if line.strip()]

    @cached_property
    def sounds(self) -> list[truth.Sound]:
        """The ground truth of the caller's sounds."""
        return truth.read(self.folder) if self.folder else []

    @property
    def audio(self) -> Path | None:
        """The stereo recording, caller left, agent right; None for a typed call."""
        path = self.folder / "call.wav" if self.folder else None
        return path if path is not None and path.exists() else None
