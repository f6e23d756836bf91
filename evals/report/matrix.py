"""Scenario by persona: one cell for all repetitions of the same thing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .call import CallView

Look = Literal["passed", "failed", "mixed", "invalid"]
SIGNS: dict[Look, str] = {"passed": "✓", "failed": "✕", "mixed": "◐", "invalid": "!"}
"""Colour is never alone."""


@dataclass(frozen=True)
class Cell:
    """What became of the calls of one scenario, persona and line."""

    look: Look
    passed: int
    counted: int
    invalid: int
    anchor: str
    """The call to look at: the first that failed, if one did."""

    @property
    def sign(self) -> str:
        return SIGNS[self.look]

    @property
    def text(self) -> str:
        return f"{self.passed}/{self.counted}" if self.counted > 1 else ""

    @property
    def told(self) -> str:
        invalid = f", {self.invalid} invalid" if self.invalid else ""
        return f"{self.passed} of {self.counted} passed{invalid}"


@dataclass(frozen=True)
class Column:
    persona: str
    line: str
    """'' for a persona who calls over one line only."""


@dataclass(frozen=True)
class Matrix:
    columns: list[Column]
    rows: list[tuple[str, list[Cell | None]]]
    """Scenario and its cells; None where nobody called."""


def of(views: Sequence[CallView]) -> Matrix:
    """In the order in which scenarios, personas and lines first come up."""
    cases = [view.result.case for view in views]
    scenarios = list(dict.fromkeys(case.scenario for case in cases))
    columns = sorted(dict.fromkeys((case.persona, case.line) for case in cases))
    lines = Counter(persona for persona, _ in columns)
    cells: dict[tuple[str, str, str], list[CallView]] = defaultdict(list)
    for view, case in zip(views, cases, strict=True):
        cells[case.scenario, case.persona, case.line].append(view)
    rows = [(name, [_cell(cells[name, *column]) for column in columns]) for name in scenarios]
    return Matrix([Column(persona, line if lines[persona] > 1 else "") for persona, line in columns], rows)


def _cell(views: Sequence[CallView]) -> Cell | None:
    if not views:
        return None
    verdicts = [view.result.verdict for view in views]
    passed, failed = verdicts.count("passed"), verdicts.count("failed")
    look: Look = "mixed" if passed and failed else "passed" if passed else "failed" if failed else "invalid"
    shown = next((view for view in views if view.result.verdict == "failed"), views[0])
    return Cell(look, passed, passed + failed, verdicts.count("invalid"), shown.anchor)
