"""The store of runs: nothing is lost in a crash, nothing is ever changed, the latest judgement wins."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.doubles import staged
from voicebot.errors import BadInput
from voicebot.evals.kept import journal, runs
from voicebot.evals.result import Result
from voicebot.evals.trial import Trial

A, B = staged.case("a"), staged.case("b")


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    run = staged.run(tmp_path, staged.plan("a"))
    folder = run.call_folder(A)
    folder.mkdir(parents=True)
    run.add(staged.trial(A, folder=folder), staged.result(A))
    again = runs.load(run.folder)
    (trial,), (result,) = again.trials(), again.results()
    assert (trial.folder, trial.case) == (folder, A)
    assert (result.verdict, result.call) == ("passed", "calls/books.a.clean.0")
    assert '"calls/books.a.clean.0"' in (run.folder / runs.TRIALS).read_text(), "a run may be moved elsewhere"


def test_a_line_cut_in_half_by_a_crash_is_passed_over_and_then_cut_off(tmp_path: Path) -> None:
    run = staged.kept(tmp_path, staged.result(A), staged.result(B))
    path = run.folder / runs.RESULTS
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert [result.case for result in run.results()] == [A]
    run.judged([staged.result(B, "failed")])
    assert [(result.case, result.verdict) for result in run.results()] == [(A, "passed"), (B, "failed")]
    assert path.read_bytes().startswith(whole[: whole.index(b"\n") + 1])


def test_a_file_that_is_only_half_a_line_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(b'{"case": {"scen')
    assert journal.read(path, Result) == []
    journal.append(path, [staged.result(A)])
    assert len(journal.read(path, Result)) == 1


def test_a_whole_line_that_is_no_result_names_its_place(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    journal.append(path, [staged.result(A)])
    with path.open("a") as file:
        file.write('{"case": 1}\n')
    with pytest.raises(BadInput, match=r"results\.jsonl:2 is no result"):
        journal.read(path, Result)


def test_the_latest_judgement_of_a_call_wins_and_the_earlier_ones_stay(tmp_path: Path) -> None:
    run = staged.kept(tmp_path, staged.result(A, "failed"), staged.result(B))
    run.judged([staged.result(A, "passed", scorer=2)])
    assert [(result.verdict, result.scorer) for result in run.results()] == [("passed", 2), ("passed", 1)]
    assert [result.verdict for result in run.history()] == ["failed", "passed", "passed"]
    run.tidy()
    assert [result.verdict for result in run.results()] == ["passed", "passed"]


def test_attempts_are_kept_apart_and_the_last_one_is_final(tmp_path: Path) -> None:
    run = staged.kept(tmp_path, staged.result(A, "invalid"))
    run.add(staged.trial(A, attempt=2), staged.result(A, "passed", attempt=2))
    assert [(result.attempt, result.verdict) for result in run.results()] == [(1, "invalid"), (2, "passed")]
    assert [result.attempt for result in run.final()] == [2]
    assert run.missing() == []
    assert run.call_folder(A, 2).name == "books.a.clean.0~2"


def test_lines_stand_in_the_order_of_the_plan_in_the_end(tmp_path: Path) -> None:
    run = staged.run(tmp_path, staged.plan("a", "b"))
    run.add(staged.trial(B), staged.result(B))
    run.add(staged.trial(A), staged.result(A))
    assert [trial.case for trial in run.trials()] == [A, B]
    run.tidy()
    assert [each.case for each in journal.read(run.folder / runs.TRIALS, Trial)] == [A, B]
    assert [each.case for each in run.history()] == [A, B]


@pytest.mark.parametrize(
    ("case_id", "folder"),
    [
        ("books/maria/clean#3", "books.maria.clean.3"),
        ("../../etc/passwd#0", "etc.passwd.0"),
        ("a b/c:d#1", "a.b.c.d.1"),
    ],
)
def test_no_case_leaves_the_folder_of_its_run(case_id: str, folder: str) -> None:
    assert runs.safe(case_id) == folder


def test_a_run_is_found_by_last_id_beginning_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for run_id, suite in (("20270301-090000-ci-aaaa", "ci"), ("20270302-090000-full-bbbb", "full")):
        staged.kept(tmp_path, staged.result(A), suite=suite, run_id=run_id)
    assert runs.find("last", tmp_path).meta.suite == "full"
    assert runs.find("last", tmp_path, suite="ci").meta.suite == "ci"
    assert runs.find("20270301", tmp_path).meta.suite == "ci"
    assert runs.find("20270302-090000-full-bbbb", tmp_path).meta.suite == "full"
    assert runs.find(str(runs.folder_of(tmp_path) / "20270301-090000-ci-aaaa"), Path("/")).meta.suite == "ci"
    for which, sentence in (
        ("2027", "is the beginning of 2 runs"),
        ("20270301-090000-ci-aaab", "Did you mean '20270301-090000-ci-aaaa'"),
    ):
        with pytest.raises(BadInput, match=sentence):
            runs.find(which, tmp_path)
    with pytest.raises(BadInput, match="no run of the suite 'night'"):
        runs.find("last", tmp_path, suite="night")
    with pytest.raises(BadInput, match="Make one: voicebot eval run"):
        runs.find("last", tmp_path / "elsewhere")


def test_a_run_that_nobody_makes_any_more_was_killed(tmp_path: Path) -> None:
    run = staged.run(tmp_path, staged.plan("a"))
    gone = subprocess.Popen(["true"])
    gone.wait()
    states = []
    for pid in (os.getpid(), gone.pid):
        run.meta.pid = pid
        states.append(run.state)
    run.meta.state = "done"
    assert [*states, run.state] == ["running", "killed", "done"]


def test_runs_are_no_business_of_git(tmp_path: Path) -> None:
    staged.run(tmp_path, staged.plan("a"))
    assert (tmp_path / "evals/runs/.gitignore").read_text() == "*\n"


def test_two_runs_of_one_second_have_names_of_their_own() -> None:
    moments = [datetime(2027, 3, 1, 9, 30, 0, microsecond) for microsecond in (0, 20, 500_000, 999_999)]
    ids = [runs.new_id("ci", moment) for moment in moments]
    assert ids == sorted(set(ids))
