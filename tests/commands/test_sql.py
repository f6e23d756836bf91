from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.doubles.recorded_call import booking
from voicebot.commands import run
from voicebot.store.views import EXAMPLES, VIEWS


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    booking("a").write(tmp_path / "calls")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_query_it_shows_what_there_is_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sql"]) == 0
    shown = capsys.readouterr().out
    for view in VIEWS:
        assert view in shown
    assert "v2v_p50_ms" in shown
    assert all(example in shown for example in EXAMPLES)


def test_a_query_answers_in_plain_lines_json_and_csv(capsys: pytest.CaptureFixture[str]) -> None:
    query = "select turn, caller, interrupted, v2v_ms from turns where turn < 3 order by turn"
    assert run(["sql", query]) == 0
    assert capsys.readouterr().out.splitlines()[0].split("\t")[:3] == [
        "1",
        "hi i would like to book a cleaning",
        "False",
    ]
    assert run(["sql", query, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1]["interrupted"] is True
    assert run(["sql", "--csv", query]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["v2v_ms"]) for row in found] == [pytest.approx(364), pytest.approx(662)]


def test_times_and_lists_are_printable_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sql", "--json", "select started_at, [1, 2] as l, null as n from calls"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["started_at"].startswith("2026-11-22")
    assert (row["l"], row["n"]) == ([1, 2], None)


def test_a_query_may_come_from_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("select count(*) from calls"))
    assert run(["sql", "-"]) == 0
    assert capsys.readouterr().out == "1\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["selct 1"], "syntax error"),
        (["select nope from calls"], 'Referenced column "nope" not found'),
        ([""], "the query is empty"),
        (["copy calls to 'x.csv'"], "reads the records of calls and nothing else"),
        (["from read_text('/etc/passwd')"], "reads the records of calls and nothing else"),
        (["select 1", "--json", "--csv"], "exclude each other"),
    ],
)
def test_a_bad_query_is_an_error_of_the_user(
    words: list[str], sentence: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sql", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert sentence in captured.err
    assert captured.out == ""
    assert not (project / "x.csv").exists()


def test_an_empty_calls_folder_has_empty_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    (empty / "calls").mkdir(parents=True)
    monkeypatch.chdir(empty)
    assert run(["sql", "--json", "from turns"]) == 0
    assert json.loads(capsys.readouterr().out) == []
