"""The table of a suite: a scenario a row, a caller a column, and what became of each call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from voicebot.evals.case import Case
from voicebot.evals.result import Finding, Result

Look = Literal["passed", "failed", "invalid", "now", "waits"]


class Column(NamedTuple):
    persona: str
    line: str


@dataclass(frozen=True)
class Outcome:
    """What is known of one call."""

    look: Look
    earlier: bool = False
    """It is of the run before, and was not made again."""


@dataclass(frozen=True)
class Entry:
    """A line of what there is to say about a cell: a call, or what a check found in it."""

    case: Case
    look: Look
    says: str
    finding: Finding | None = None
    folder: Path | None = None
    """Of the call's record, where there is one."""


@dataclass
class Sheet:
    """`results` grow while a run goes on; `under_way` says how far its calls are."""

    cases: list[Case]
    results: dict[str, Result] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    under_way: Mapping[str, str] = field(default_factory=dict)
    earlier: set[str] = field(default_factory=set)
    """Cases whose result is of the run before."""

    @cached_property
    def rows(self) -> list[str]:
        return list(dict.fromkeys(case.scenario for case in self.cases))

    @cached_property
    def columns(self) -> list[Column]:
        return list(dict.fromkeys(Column(case.persona, case.line) for case in self.cases))

    def title(self, column: Column) -> str:
        """The caller, and the line where that caller calls over several."""
        several = sum(each.persona == column.persona for each in self.columns) > 1
        return f"{column.persona}/{column.line}" if several else column.persona

    @cached_property
    def _cells(self) -> dict[tuple[str, Column], list[Case]]:
        found: dict[tuple[str, Column], list[Case]] = {}
        for case in self.cases:
            found.setdefault((case.scenario, Column(case.persona, case.line)), []).append(case)
        return found

    def at(self, row: str, column: Column) -> list[Case]:
        """All tries of one cell; none where nobody calls."""
        return self._cells.get((row, column), [])

    def outcome(self, case: Case) -> Outcome:
        if case.id in self.under_way:
            return Outcome("now")
        if result := self.results.get(case.id):
            return Outcome(result.verdict, case.id in self.earlier)
        return Outcome("waits")

    def count(self, look: Look) -> int:
        return sum(self.outcome(case).look == look for case in self.cases)

    def add(self, result: Result, folder: Path | None) -> None:
        self.results[result.case.id] = result
        self.earlier.discard(result.case.id)
        if folder is not None:
            self.folders[result.case.id] = folder

    def again(self, cases: Iterable[Case]) -> None:
        """These will be made again; all others are of the run before."""
        self.earlier = set(self.results) - {case.id for case in cases}
        for case in cases:
            self.results.pop(case.id, None)

    def entries(self, cases: Iterable[Case]) -> list[Entry]:
        """A line for each call, and one beneath it for each check that failed."""
        found = []
        for case in cases:
            outcome, result, folder = self.outcome(case), self.results.get(case.id), self.folders.get(case.id)
            found.append(Entry(case, outcome.look, self._says(case, outcome, result), folder=folder))
            if result and outcome.look == "failed":
                found += [Entry(case, "failed", finding.says, finding, folder) for finding in result.failed]
        return found

    def _says(self, case: Case, outcome: Outcome, result: Result | None) -> str:
        if outcome.look == "now":
            return self.under_way.get(case.id, "")
        if result is None:
            return "not called yet"
        if result.verdict == "invalid":
            return f"invalid: {result.broke}"
        return f"{result.verdict}, {len(result.findings)} checks" + (", of the run before" if outcome.earlier else "")
