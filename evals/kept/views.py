"""SQL over runs: DuckDB reads the lines of all runs of a project, with no import step and no lock.

The tables hold what the files said when the connection was opened; after that the connection has no access to any
file, so a query can only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import duckdb

from voicebot.evals.measures import Measures, Rate
from voicebot.store.views import columns as event_columns

from . import runs

VIEWS = {
    "results": "one row a call: its latest verdict, its case, what broke",
    "findings": "one row a check of a call: whether it held, in which stage, what was found, when",
    "trials": "one row a call: how it ended, how long it took, what it was made of",
    "measures": "one row a call: every figure of it; lists have a value a turn, rates are {hits, n}",
    "events": "one row an event of a call, all fields of all events",
}

EXAMPLES = (
    "select scenario, avg((verdict = 'passed')::int) as rate, count(*) as n from results where verdict != 'invalid' "
    "group by scenario order by rate",
    "select stage, check_name, count(*) as n from findings where not ok group by all order by n desc",
    "select run, quantile_cont(ms, [0.5, 0.95]) as v2v from (select run, unnest(v2v_ms) as ms from measures) "
    "group by run",
)

_CASE = "STRUCT(scenario VARCHAR, persona VARCHAR, line VARCHAR, seed BIGINT, agent VARCHAR, channel VARCHAR)"
_FINDINGS = 'STRUCT("check" VARCHAR, ok BOOLEAN, stage VARCHAR, says VARCHAR, at_ms DOUBLE, quote VARCHAR)[]'
_OF_CASE = 'run, "case".scenario as scenario, "case".persona as persona, "case".line as line, "case".seed as seed'


def connect(root: Path, *, events: bool = True, only: Sequence[Path] | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory database with VIEWS over the project's runs, or over `only` those in these folders.

    Without `events` that view is empty: reading all events of many runs takes a while.
    """
    folders = list(only if only is not None else runs.newest_first(root))
    db = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        _load(db, "all_results", folders, runs.RESULTS, _result_columns())
        _load(db, "all_trials", folders, runs.TRIALS, _TRIAL_COLUMNS)
        _load_events(db, folders if events else [])
        for view in (_results(), _FINDINGS_VIEW, _TRIALS_VIEW, _measures()):
            db.execute(view)
        db.execute("set enable_external_access = false")
        db.execute("set lock_configuration = true")
    except BaseException:
        db.close()
        raise
    return db


def _load(
    db: duckdb.DuckDBPyConnection, table: str, folders: Sequence[Path], name: str, columns: dict[str, str]
) -> None:
    """The lines of one kind of all runs, numbered, the latest last. A line cut in half is left out."""
    declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    db.execute(f"create table {table} (run varchar, number bigint, {declared})")
    files = [str(folder / name) for folder in folders if (folder / name).is_file() and (folder / name).stat().st_size]
    if files:
        names = ", ".join(f'"{column}"' for column in columns)
        db.execute(
            f"""insert into {table} select parse_path(filename)[-2], row_number() over (), {names}
            from read_json(?, format = 'newline_delimited', columns = ?, ignore_errors = true, filename = true)
            where "case" is not null""",  # noqa: S608 - names of our own fields, never a user's text
            [files, columns],
        )


def _load_events(db: duckdb.DuckDBPyConnection, folders: Sequence[Path]) -> None:
    types = event_columns()
    declared = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    db.execute(f"create table events (run varchar, call varchar, seq bigint, {declared})")
    found = (path for folder in folders for path in sorted((folder / runs.CALLS).glob("*/events.jsonl")))
    files = [str(path) for path in found if path.stat().st_size]
    if files:
        names = ", ".join(f'"{name}"' for name in types)
        db.execute(
            f"""insert into events
            select parse_path(filename)[-4], parse_path(filename)[-2], row_number() over (), {names}
            from read_json(?, format = 'newline_delimited', columns = ?, ignore_errors = true, filename = true)
            where type is not null""",  # noqa: S608 - names of our own fields, never a user's text
            [files, types],
        )


_TRIAL_COLUMNS = {
    "case": _CASE,
    "attempt": "BIGINT",
    "folder": "VARCHAR",
    "broke": "VARCHAR",
    "ended": "VARCHAR",
    "handed_over": "VARCHAR",
    "confusions": "VARCHAR[]",
    "facts": "JSON",
    "before": "JSON",
    "after": "JSON",
    "call_s": "DOUBLE",
    "wall_s": "DOUBLE",
    "hashes": "JSON",
}

_LATEST = 'row_number() over (partition by run, "case", attempt order by number desc) = 1'


def _result_columns() -> dict[str, str]:
    measures = ", ".join(f'"{name}" {kind}' for name, kind in _measure_types().items())
    return {
        "case": _CASE,
        "attempt": "BIGINT",
        "verdict": "VARCHAR",
        "findings": _FINDINGS,
        "measures": f"STRUCT({measures})",
        "scorer": "BIGINT",
        "broke": "VARCHAR",
        "call": "VARCHAR",
    }


def _measure_types() -> dict[str, str]:
    """Every figure with its SQL type, read from the model: a new figure is there at once."""
    return {name: _sql_type(info.annotation) for name, info in Measures.model_fields.items()}


def _sql_type(annotation: Any) -> str:
    if annotation is Rate:
        return "STRUCT(hits BIGINT, n BIGINT)"
    if get_origin(annotation) is list:
        return f"{_sql_type(get_args(annotation)[0])}[]"
    plain = {str: "VARCHAR", bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}
    kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not type(None)]
    return plain.get(kinds[0], "JSON") if len(kinds) == 1 else "JSON"


def _results() -> str:
    return f"""create view results as
    select {_OF_CASE}, "case".agent as agent, "case".channel as channel, attempt, verdict, broke, scorer,
        parse_filename(call) as call, len(findings) as checks, len([f for f in findings if not f.ok]) as failed
    from all_results qualify {_LATEST} order by run, scenario, persona, line, seed, attempt"""  # noqa: S608 - our own words


_FINDINGS_VIEW = f"""create view findings as
    select run, scenario, persona, line, seed, attempt, call, found."check" as check_name, found.ok as ok,
        found.stage as stage, found.says as says, found.at_ms as at_ms, found.quote as quote
    from (select {_OF_CASE}, attempt, parse_filename(call) as call, number, unnest(findings) as found
        from (from all_results qualify {_LATEST})) order by run, scenario, persona, line, seed, attempt"""  # noqa: S608 - our own words

_TRIALS_VIEW = f"""create view trials as
    select {_OF_CASE}, attempt, ended, handed_over, confusions, call_s, wall_s, broke, facts, before, after, hashes,
        parse_filename(folder) as call
    from all_trials qualify {_LATEST} order by run, scenario, persona, line, seed, attempt"""  # noqa: S608 - our own words


def _measures() -> str:
    figures = ", ".join(f'measures."{name}" as "{name}"' for name in _measure_types())
    return f"""create view measures as
    select {_OF_CASE}, attempt, verdict, {figures}
    from all_results qualify {_LATEST} order by run, scenario, persona, line, seed, attempt"""  # noqa: S608 - our own words
