"""Runs of parts of a suite, put together into one run of the whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from voicebot.errors import BadInput
from voicebot.evals.case import Case
from voicebot.evals.trial import Trial

from . import runs
from .runs import Meta, Run


def merge(parts: Sequence[Run], root: Path) -> Run:
    """A new run with all calls of `parts`, their audio linked or copied, so that the parts may be deleted.

    Raises BadInput when they are not parts of one thing: other suites, other files, or the same call twice.
    """
    _check(parts)
    first = parts[0].meta
    arguments = first.arguments.model_copy(update={"shard": ""})
    meta = first.model_copy(
        update={
            "id": runs.new_id(first.suite),
            "state": "done" if all(part.meta.state == "done" for part in parts) else "interrupted",
            "started_at": min(part.meta.started_at for part in parts),
            "seconds": max(part.meta.seconds for part in parts),
            "arguments": arguments,
            "merged": [part.id for part in parts],
            "planned": _in_order([case for part in parts for case in part.meta.planned], arguments.suite, root),
        }
    )
    whole = runs.create(root, Meta.model_validate(meta))
    for part in parts:
        _take_over(part, whole)
    whole.tidy()
    return whole


def _check(parts: Sequence[Run]) -> None:
    if len(parts) < 2:
        raise BadInput("one run alone cannot be merged. Name two or more.")
    first = parts[0].meta
    seen: dict[str, str] = {}
    for part in parts:
        if part.meta.suite != first.suite:
            raise BadInput(f"{part.id} is a run of the suite '{part.meta.suite}', {first.id} of '{first.suite}'.")
        changed = [name for name in first.hashes if part.meta.hashes.get(name) != first.hashes[name]]
        if changed:
            raise BadInput(f"{part.id} and {first.id} were made with other {', '.join(changed)}: they are no one run.")
        for case in part.meta.planned:
            if case.id in seen:
                raise BadInput(f"the call {case.id} is in {seen[case.id]} and in {part.id}.")
            seen[case.id] = part.id


def _in_order(cases: list[Case], suite: str, root: Path) -> list[Case]:
    """As the whole suite has them, when it is there to be asked; else part by part."""
    from voicebot.evals.suite import find

    try:
        order = {planned.case.cell: place for place, planned in enumerate(find(suite, root).plan(root))}
    except BadInput:  # merged where the project is not, for example in a job of its own
        return cases
    return sorted(cases, key=lambda case: (order.get(case.cell, len(order)), case.seed))


def _take_over(part: Run, whole: Run) -> None:
    attempts = {(trial.case.id, trial.attempt): trial for trial in part.trials()}
    for result in part.results():
        trial = attempts.get((result.case.id, result.attempt))
        if trial is None:
            raise BadInput(f"{part.folder}: the call {result.case.id} has a result and no trial.")
        target = whole.call_folder(result.case, result.attempt)
        if trial.folder is not None and trial.folder.is_dir():
            shutil.copytree(trial.folder, target, copy_function=_link_or_copy)
        whole.add(_moved(trial, target), result)


def _moved(trial: Trial, target: Path) -> Trial:
    return trial.model_copy(update={"folder": target if target.is_dir() else None})


def _link_or_copy(source: str, target: str) -> None:
    """Audio is large and never changes: where both lie on one disk it is kept once."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
