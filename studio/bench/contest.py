"""Both variants called by the same callers, one after the other, and what `eval compare` says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from voicebot.errors import BadInput
from voicebot.evals.case import Case
from voicebot.evals.compare import Comparison, compare
from voicebot.evals.kept.arguments import Arguments
from voicebot.evals.result import Result
from voicebot.studio.evals.making import Making

from .variants import playing

KEPT = Path(".voicebot") / "bench"
"""Where these runs are kept: apart, so that no 'last run' of a suite is one of another agent."""

Side = Literal["a", "b"]


@dataclass
class Contest:
    """`hold` blocks until both have been called: it is for a thread. All else may be asked at any time."""

    root: Path
    suite: str
    agents: dict[Side, Path]
    ended_one: Callable[[Side, Result, Path], None]
    began: Callable[[Side, int], None] = lambda side, calls: None
    makings: dict[Side, Making] = field(default_factory=dict)
    comparison: Comparison | None = None
    _stopped: bool = False

    def plan(self) -> dict[Side, list[Case]]:
        """The calls of both. Raises BadInput."""
        arguments = Arguments(suite=self.suite)
        whole = arguments.plan(self.root)
        names = {path.stem for path in self.agents.values()}
        if not any(planned.case.agent in names for planned in whole):
            names = {planned.case.agent for planned in whole}  # both are variants of who is called there
        for side, agent in self.agents.items():
            plan = playing(whole, agent, names)
            self.makings[side] = Making(
                self.root, arguments, plan, self._teller(side), keep=(self.root / KEPT).absolute()
            )
        return {side: [planned.case for planned in making.plan] for side, making in self.makings.items()}

    def _teller(self, side: Side) -> Callable[[Result, Path], None]:
        return lambda result, folder: self.ended_one(side, result, folder)

    def hold(self) -> Comparison | None:
        """None when it was stopped. Raises BadInput and Unavailable."""
        for side, making in self.makings.items():
            if self._stopped:
                return None
            self.began(side, len(making.plan))
            if making.make() != "done":
                return None
        self.comparison = self._compared()
        return self.comparison

    def _compared(self) -> Comparison:
        a, b = self.makings["a"].run, self.makings["b"].run
        if a is None or b is None:
            raise BadInput("both variants have to be called before they can be compared.")
        return compare(a.final(), b.final())

    def stop(self) -> None:
        self._stopped = True
        for making in self.makings.values():
            making.stop()
