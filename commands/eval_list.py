"""`voicebot eval list` and `voicebot eval show`: the suites and runs of a project, and what came of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .eval_options import OneRun
from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    from rich.text import Text

    from voicebot.evals.kept.runs import Run


def list_(
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many runs, the latest first.")] = 20,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """The suites of this project and its runs, the latest first; --quiet prints the ids of runs alone.

    \b
    Example:
      voicebot eval list
    """
    from voicebot import paths
    from voicebot.errors import BadInput
    from voicebot.evals import suite
    from voicebot.evals.kept import runs

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    found = []
    for folder in runs.newest_first(root)[:limit]:
        try:
            found.append(runs.load(folder))
        except BadInput as unreadable:
            screen.warn(str(unreadable))
    if as_json:
        screen.json({"suites": sorted(suite.files(root)), "runs": [_facts(run) for run in found]})
    elif quiet:
        for run in found:
            screen.data(run.id)
    elif found:
        headers = ["run", "suite", "when", "calls", "passed", "failed", "invalid", "state", "commit"]
        screen.table(headers, [_row(run) for run in found], right=("calls", "passed", "failed", "invalid"))
    else:
        names = ", ".join(sorted(suite.files(root))) or "none, so all scenarios are one"
        screen.talk(f"no runs yet. Suites: {names}. Make one: voicebot eval run")


def _facts(run: Run) -> dict[str, Any]:
    verdicts = [result.verdict for result in run.final()]
    counts = {verdict: verdicts.count(verdict) for verdict in ("passed", "failed", "invalid")}
    meta = run.meta
    return {
        "run": run.id,
        "suite": meta.suite,
        "started_at": meta.started_at,
        "state": run.state,
        "seconds": round(meta.seconds, 1),
        "calls": len(meta.planned),
        **counts,
        "commit": meta.commit.model_dump() if meta.commit else None,
        "folder": str(run.folder),
    }


def _row(run: Run) -> list[Text]:
    from datetime import datetime

    from rich.text import Text

    facts = _facts(run)
    when = datetime.fromisoformat(run.meta.started_at)
    commit = run.meta.commit
    return [
        Text(run.id, "bold"),
        Text(run.meta.suite),
        Text(f"{when:%Y-%m-%d %H:%M}", "dim"),
        Text(str(facts["calls"])),
        Text(str(facts["passed"]), "good" if facts["passed"] else "dim"),
        Text(str(facts["failed"]), "bad" if facts["failed"] else "dim"),
        Text(str(facts["invalid"]), "poor" if facts["invalid"] else "dim"),
        Text(facts["state"].replace("_", " ")),
        Text(f"{commit.sha[:7]}{'+' if commit.dirty else ''}" if commit else "", "dim"),
    ]


def show(
    run: OneRun = "last",
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """What came of a run: the table, and every call that failed with its moment.

    \b
    Example:
      voicebot eval show last
    """
    from voicebot import paths
    from voicebot.evals.kept import runs

    from . import eval_summary
    from .terminal import Screen

    found = runs.find(run, paths.project_root(project))
    screen = Screen(quiet=quiet, no_color=no_color)
    if as_json:
        screen.json(eval_summary.facts(found))
    else:
        eval_summary.show(screen, found)
