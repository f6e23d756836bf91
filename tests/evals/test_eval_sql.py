"""Runs in SQL: what the files say, the latest judgement, nothing but reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.doubles import staged
from tests.doubles.recorded_call import booking
from voicebot.evals.kept import views
from voicebot.evals.measures import Measures


def ask(root: Path, query: str) -> list[tuple[Any, ...]]:
    with views.connect(root) as db:
        return db.execute(query).fetchall()


def test_every_view_answers_for_a_project_without_runs(tmp_path: Path) -> None:
    for view in views.VIEWS:
        assert ask(tmp_path, f"from {view}") == []
    for example in views.EXAMPLES:
        assert ask(tmp_path, example) == []


def test_results_are_the_latest_and_findings_theirs(tmp_path: Path) -> None:
    run = staged.kept(tmp_path, staged.result(staged.case("a"), "failed"), staged.result(staged.case("b")))
    run.judged([staged.result(staged.case("a"), "passed", scorer=2)])
    assert ask(tmp_path, "select persona, verdict, scorer, failed from results") == [
        ("a", "passed", 2, 0), ("b", "passed", 1, 0),
    ]  # fmt: skip
    assert ask(tmp_path, "select count(*), bool_and(ok) from findings") == [(2, True)]


def test_a_finding_has_its_stage_and_moment(tmp_path: Path) -> None:
    staged.kept(tmp_path, staged.result(staged.case("a"), "failed"))
    assert ask(tmp_path, "select check_name, ok, stage, says, at_ms, quote from findings") == [
        ("expect data/appointments.json", False, "tools", "expected 1 record, found none", 12_300.0, "two")
    ]


def test_every_figure_is_a_column_and_adds_up_over_calls(tmp_path: Path) -> None:
    staged.kept(tmp_path, staged.result(staged.case("a")), staged.result(staged.case("b")))
    with views.connect(tmp_path) as db:
        columns = {name for name, *_ in db.execute("describe measures").fetchall()}
    assert {*Measures.model_fields} <= columns
    assert ask(tmp_path, "select median(ms), count(*) from (select unnest(v2v_ms) as ms from measures)") == [(700.0, 4)]
    assert ask(tmp_path, "select sum(responses.hits), sum(responses.n) from measures") == [(4, 4)]


def test_a_line_cut_in_half_is_left_out(tmp_path: Path) -> None:
    run = staged.kept(tmp_path, staged.result(staged.case("a")), staged.result(staged.case("b")))
    path = run.folder / "results.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    assert ask(tmp_path, "select persona from results") == [("a",)]


def test_events_of_calls_are_joined_by_run_and_call(tmp_path: Path) -> None:
    case = staged.case("a")
    run = staged.run(tmp_path, staged.plan("a"))
    folder = run.call_folder(case)
    booking(folder.name).write(folder.parent, audio=False)
    run.add(staged.trial(case, folder=folder), staged.result(case))
    query = "select persona, count(*) > 10 from events join results using (run, call) group by persona"
    assert ask(tmp_path, query) == [("a", True)]
    with views.connect(tmp_path, events=False) as db:
        assert db.execute("from events").fetchall() == []


def test_a_query_can_only_read_runs(tmp_path: Path) -> None:
    for query in ("copy (select 1) to 'x.csv'", "from read_text('/etc/hostname')", "attach 'x.db'"):
        with pytest.raises(duckdb.Error, match="disabled by configuration"):
            ask(tmp_path, query)


def test_a_run_named_alone_is_read_alone(tmp_path: Path) -> None:
    one, _ = (staged.kept(tmp_path, staged.result(staged.case(name))) for name in "ab")
    with views.connect(tmp_path, only=[one.folder]) as db:
        assert db.execute("select persona from results").fetchall() == [("a",)]
