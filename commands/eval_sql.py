"""`voicebot eval sql`: ask the runs of suites anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, NoColor, Project, Quiet


def sql(
    query: Annotated[str | None, typer.Argument(help="One SELECT; '-' reads it from stdin.")] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only this run; else all of them.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a heading.")] = False,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Ask the runs of suites anything, in SQL.

    Without a query it shows what there is to ask. A query can read runs and nothing else; events are read when it
    names them.

    \b
    Examples:
      voicebot eval sql
      voicebot eval sql "select scenario, verdict, count(*) as n from results group by all"
      voicebot eval sql --run last --csv "from findings where not ok" > failed.csv
    """
    from voicebot import paths
    from voicebot.evals.kept import runs, views

    from .sql import answer, describe, form_of, read
    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    root = paths.project_root(project)
    form = form_of(as_json, as_csv)
    query = read(query) if query is not None else None
    only = [runs.find(run, root).folder] if run else None
    with views.connect(root, events=query is None or "events" in query.lower(), only=only) as db:
        if query is None:
            examples = [f'voicebot eval sql "{each}"' for each in views.EXAMPLES]
            describe(screen, db, views.VIEWS, examples, as_json=as_json)
        else:
            answer(screen, db, query, form)
