"""Judging calls again that were made before: after a metric or a check has changed, nobody needs to be called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voicebot.errors import BadInput
from voicebot.evals.kept.runs import Run
from voicebot.evals.result import SCORER, Result

from . import cell


@dataclass(frozen=True)
class Rescored:
    """One call, before and after."""

    before: Result
    after: Result

    @property
    def flipped(self) -> bool:
        return self.before.verdict != self.after.verdict


def rescore(run: Run, root: Path, judge: str | None = None) -> Iterator[Rescored]:
    """Measure and judge every call of the run with the checks as they are now, one after the other; each is kept as
    it is done, and the earlier result stays in the file.

    Raises BadInput when a scenario is no longer there: its calls cannot be judged again.
    """
    planned = {each.case.id: each for each in run.meta.arguments.plan(root)}
    results = {(result.case.id, result.attempt): result for result in run.results()}
    if lost := sorted({case_id for case_id, _ in results} - {*planned}):
        raise BadInput(f"the suite '{run.meta.suite}' no longer has the call {lost[0]}, so it cannot be judged again.")
    for trial in run.trials():
        before = results.get((trial.case.id, trial.attempt))
        if before is None:
            continue
        after = cell.judged(planned[trial.case.id], trial, judge).model_copy(update={"call": before.call})
        run.judged([after])
        yield Rescored(before, after)
    run.meta.scorer = SCORER
    run.save()
