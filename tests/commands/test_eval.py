"""The other commands of `voicebot eval`, on runs that are there already."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.doubles import staged
from voicebot.commands import run
from voicebot.evals.kept import runs
from voicebot.evals.kept.arguments import Arguments
from voicebot.evals.kept.runs import Run
from voicebot.evals.planned import Planned
from voicebot.evals.result import Result
from voicebot.evals.running import cell
from voicebot.evals.trial import Trial


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(project: Path) -> Run:
    return staged.kept(
        project,
        staged.result(staged.case("good")),
        staged.result(staged.case("bad"), "failed"),
        staged.result(staged.case("odd"), "invalid"),
        run_id="20270301-093000-ci-aaaa",
    )


def test_runs_are_listed_with_what_came_of_them(made: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "list"]) == 0
    assert capsys.readouterr().out.split("\t")[:8] == [made.id, "ci", "2027-03-01 09:30", "3", "1", "1", "1", "done"]
    assert run(["eval", "list", "--quiet"]) == 0
    assert capsys.readouterr().out == f"{made.id}\n"
    assert run(["eval", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["failed"] == 1


def test_a_run_is_shown_again_as_it_was_when_it_ended(made: Run, capsys: pytest.CaptureFixture[str]) -> None:
    made.add(staged.trial(staged.case("odd"), 2), staged.result(staged.case("odd"), "passed", 2))
    assert run(["eval", "show"]) == 0
    out = capsys.readouterr().out
    assert "books\t67% (21-94)\t3 few" in out
    assert "✗ books/bad/clean#0" in out
    assert "1 invalid attempt made again and not counted" in out
    assert run(["eval", "show", made.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["calls"] == 3


def test_a_project_without_runs_says_how_to_make_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "list"]) == 0
    assert "voicebot eval run" in capsys.readouterr().err
    assert run(["eval", "show"]) == 2
    assert "no runs in evals/runs yet" in capsys.readouterr().err


def test_sql_reads_runs(made: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "sql", "--csv", "select persona, verdict from results order by persona"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["verdict"] for row in rows] == ["failed", "passed", "invalid"]
    assert run(["eval", "sql", "--run", "2027", "select count(*) from events"]) == 0
    assert capsys.readouterr().out == "0\n"
    assert run(["eval", "sql", "select nonsense from results"]) == 2
    assert "sql: " in capsys.readouterr().err
    assert run(["eval", "sql"]) == 0
    assert 'voicebot eval sql "select ' in capsys.readouterr().out


def test_a_changed_metric_judges_old_calls_again(
    made: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is called: the checks are asked again, here by a stub in their place."""
    judged: list[str] = []

    def again(planned: Planned, trial: Trial, judge: str | None) -> Result:
        judged.append(f"{trial.case.persona} {judge}")
        return staged.result(trial.case, scorer=2)

    plan = staged.plan("good", "bad", "odd")
    monkeypatch.setattr(Arguments, "plan", lambda self, root: plan)
    monkeypatch.setattr(cell, "judged", again)
    assert run(["eval", "rescore", "--judge", "openai/x"]) == 0
    out = capsys.readouterr().out
    assert judged == ["good openai/x", "bad openai/x", "odd openai/x"]
    assert "books/bad/clean#0: was failed, is passed" in out
    assert "books/good/clean#0: was" not in out
    again_read = runs.load(made.folder)
    assert [result.scorer for result in again_read.results()] == [2, 2, 2]
    assert len(again_read.history()) == 6
    monkeypatch.setattr(Arguments, "plan", lambda self, root: plan[:1])
    assert run(["eval", "rescore"]) == 2
    assert "no longer has the call books/bad/clean#0" in capsys.readouterr().err


def test_a_comparison_can_be_read_by_people_and_machines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [staged.case("maria", seed) for seed in range(12)]
    staged.kept(project, *(staged.result(case) for case in cases), run_id="1-good")
    staged.kept(project, *(staged.result(case, "failed") for case in cases), run_id="2-bad")
    staged.kept(project, *(staged.result(case) for case in cases), run_id="3-good")
    assert run(["eval", "compare", "1-good", "3-good", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "no evidence"
    assert run(["eval", "compare", "1-good", "2-bad"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("regressed")
    assert "▼ tools: " in out
    assert "books/maria/clean#0, books/maria/clean#1, books/maria/clean#10 and 9 more" in out
    assert "from 1-good to 2-bad" in err
    assert run(["eval", "compare", "2-bad", "3-good", "--noise", "2-bad"]) == 0
    assert "noise floor: 0 flips, 12 identical calls, of 12" in capsys.readouterr().err


def test_a_report_is_written_beside_its_run(made: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "report"]) == 0
    assert capsys.readouterr().out == f"evals/runs/{made.id}/report.html\n"
    assert "books/bad/clean#0" in (made.folder / "report.html").read_text()
