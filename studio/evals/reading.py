"""What the page of suites shows, read from the project: a suite with what its last runs found, or one run as it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voicebot.errors import VoicebotError
from voicebot.evals import suite as suites
from voicebot.evals.kept import runs
from voicebot.evals.kept.arguments import Arguments, suite_of
from voicebot.evals.kept.runs import Run
from voicebot.evals.planned import Planned

from .sheet import Sheet

_LOOK_BACK = 5
"""Runs of a suite that are looked through: one may have been of a single cell."""


@dataclass(frozen=True)
class Reading:
    arguments: Arguments
    """With which the same calls are made again."""
    plan: list[Planned]
    sheet: Sheet
    run: Run | None
    """The last one there is."""


def meant(project: Path) -> str:
    """The suite that is opened first."""
    try:
        return suite_of(project)
    except VoicebotError:  # there are several: any will do until one is chosen
        return sorted(suites.files(project))[0]


def of_suite(project: Path, arguments: Arguments, *, with_last: bool = True) -> Reading:
    """Its calls as they are planned now, with what was found last. Raises BadInput."""
    plan = arguments.plan(project)
    sheet = Sheet([planned.case for planned in plan])
    made = _last_runs(project, arguments.suite) if with_last else []
    for number, run in enumerate(made):
        _fill(sheet, run, earlier=number > 0)
    return Reading(arguments, plan, sheet, made[0] if made else None)


def of_run(project: Path, name: str) -> Reading:
    """A run as it was. Raises BadInput."""
    run = runs.find(name, project)
    sheet = Sheet(run.meta.planned)
    _fill(sheet, run, earlier=False)
    return Reading(run.meta.arguments, run.meta.arguments.plan(project), sheet, run)


def about(path: Path) -> str:
    """A suite in a sentence."""
    try:
        suite = suites.load(path)
    except VoicebotError:
        return "its file is wrong"
    return suite.about or suite.name


def _last_runs(project: Path, suite: str) -> list[Run]:
    """The latest first; without those that cannot be read."""
    found: list[Run] = []
    for folder in runs.newest_first(project):
        try:
            run = runs.load(folder)
        except VoicebotError:
            continue
        if run.meta.suite == suite:
            found.append(run)
        if len(found) == _LOOK_BACK:
            break
    return found


def _fill(sheet: Sheet, run: Run, *, earlier: bool) -> None:
    """What this run knows and later ones do not."""
    known = {case.id for case in sheet.cases} - sheet.results.keys()
    for result in run.final():
        if result.case.id in known:
            sheet.add(result, run.folder / result.call if result.call else None)
            if earlier:
                sheet.earlier.add(result.case.id)
