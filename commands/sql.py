"""`voicebot sql`: ask the records of calls anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, NoColor, Project, Quiet

if TYPE_CHECKING:
    import duckdb

    from .terminal import Screen


def sql(
    query: Annotated[str | None, typer.Argument(help="One SELECT; '-' reads it from stdin.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a heading.")] = False,
    project: Project = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Ask the recorded calls anything, in SQL.

    Without a query it shows what there is to ask. A query can read the records of calls and nothing else.

    \b
    Examples:
      voicebot sql
      voicebot sql "select call, v2v_p50_ms from calls order by 2 desc"
      voicebot sql --csv "from turns" > turns.csv
    """
    from voicebot.store import calls, views

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    form = form_of(as_json, as_csv)
    with views.connect(calls.folder_of(project)) as db:
        if query is None:
            describe(screen, db, views.VIEWS, [f'voicebot sql "{each}"' for each in views.EXAMPLES], as_json=as_json)
        else:
            answer(screen, db, query, form)


def form_of(as_json: bool, as_csv: bool) -> str:
    """'json', 'csv' or 'table'. Raises BadInput for two at once."""
    from voicebot.errors import BadInput

    if as_json and as_csv:
        raise BadInput("--json and --csv exclude each other.")
    return "json" if as_json else "csv" if as_csv else "table"


def answer(screen: Screen, db: duckdb.DuckDBPyConnection, query: str, form: str) -> None:
    """Run one query and print what it gives. Raises BadInput with DuckDB's own words."""
    import duckdb

    from voicebot.errors import BadInput

    try:
        found = db.execute(read(query))
        headers = [column[0] for column in found.description or ()]
        rows = found.fetchall()
    except duckdb.Error as error:
        raise BadInput(_sentence(error)) from None
    _print(screen, headers, rows, form)


def read(query: str) -> str:
    """The query itself, or stdin for '-'. Raises BadInput when it is empty."""
    import sys

    from voicebot.errors import BadInput

    text = sys.stdin.read() if query == "-" else query
    if not text.strip():
        raise BadInput('the query is empty. For example: voicebot sql "from calls"')
    return text


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's message without its stack; a refused file access says what the rule is."""
    text = str(error).strip()
    if "disabled by configuration" in text:
        return "a query reads the records of calls and nothing else: no files, no attachments, no extensions."
    return f"sql: {text}"


def describe(
    screen: Screen,
    db: duckdb.DuckDBPyConnection,
    views: Mapping[str, str],
    examples: Iterable[str],
    *,
    as_json: bool = False,
) -> None:
    """What there is to ask: every view with its columns, and commands to begin with."""
    from rich.padding import Padding
    from rich.text import Text

    columns, counts = {}, {}
    for view in views:
        columns[view] = {name: kind.lower() for name, kind, *_ in db.execute(f"describe {view}").fetchall()}
        counts[view] = db.table(view).count("*").fetchall()[0][0]
    if as_json:
        screen.json({view: {"rows": counts[view], "columns": columns[view]} for view in views})
        return
    for view, about in views.items():
        screen.data(Text.assemble((view, "agent"), (f"  {counts[view]} rows  ", "dim"), about))
        names = Text()
        for name, kind in columns[view].items():
            names.append(name).append(f" {kind}  ", "dim")
        screen.data(Padding(names, (0, 0, 0, 2)) if screen.out.is_terminal else names)
        screen.data()
    for example in examples:
        screen.data(Text(example, "good"))


def _print(screen: Screen, headers: list[str], rows: list[tuple[Any, ...]], form: str) -> None:
    import csv
    import sys

    from rich.text import Text

    if form == "json":
        screen.json([dict(zip(headers, row, strict=True)) for row in rows])
        return
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([headers, *rows])
        return
    kinds = zip(headers, zip(*rows, strict=True), strict=True) if rows else ()
    numbers = {header for header, values in kinds if all(isinstance(value, int | float | None) for value in values)}
    screen.table(headers, [[Text(_shown(value)) for value in row] for row in rows], right=numbers)
    screen.talk(f"{len(rows)} row{'' if len(rows) == 1 else 's'}", "dim")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if hasattr(value, "isoformat"):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)
