from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import staged
from voicebot.evals.ci import github
from voicebot.evals.result import Finding

SCENARIO = """\
name: The appointment is booked
checks:
  expect:
    - file: data/orders.json
    - file: data/appointments.json
  latency: {v2v_p95: 2s}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals/books.yaml").write_text(SCENARIO)
    return tmp_path


@pytest.mark.parametrize(
    ("check", "line"),
    [("expect data/appointments.json", 5), ("latency.v2v_p95", 6), ("expect", 3), ("call", 1)],
)
def test_a_check_is_found_in_its_file(root: Path, check: str, line: int) -> None:
    assert github.line_of(root / "evals/books.yaml", check) == line


def test_one_annotation_a_check_with_how_often_it_failed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    cases = [staged.case("maria", seed) for seed in range(3)]
    run = staged.kept(root, staged.result(cases[0]), *(staged.result(case, "failed") for case in cases[1:]))
    (line,) = github.commands(run, root)
    assert line == (
        "::error title=books%3A expect data/appointments.json,file=evals/books.yaml,line=5::"
        "expected 1 record, found none (2 of 3 calls, first books/maria/clean#1, stage tools)"
    )


def test_failures_of_a_good_run_are_warnings(root: Path) -> None:
    """With --compare a failure that was there before does not fail the job, so it must not be red either."""
    run = staged.kept(root, staged.result(staged.case(), "failed"))
    (line,) = github.commands(run, root, good=True)
    assert line.startswith("::warning title=books")


def test_nothing_that_was_said_can_end_an_annotation(root: Path) -> None:
    evil = Finding(check="said: x,line=1", ok=False, stage="brain", says="100%\n::error::mine\r")
    run = staged.kept(root, staged.result(staged.case(), "failed", findings=[evil]))
    (line,) = github.commands(run, root)
    assert "\n" not in line
    assert "\r" not in line
    assert line.count("::error") == 2, "the second is text: what follows a command's first '::' cannot be one"
    assert "title=books%3A said%3A x%2Cline=1" in line
    assert "100%25%0A" in line


def test_a_step_shows_ten_at_most_and_invalid_calls_are_a_warning(root: Path) -> None:
    checks = [Finding(check=f"check-{n}", ok=False, stage="brain", says="no") for n in range(30)]
    failed = staged.result(staged.case(), "failed", findings=checks)
    run = staged.kept(root, failed, staged.result(staged.case("odd"), "invalid"))
    lines = github.commands(run, root)
    assert len(lines) == 10
    assert lines[-1].startswith("::warning title=voicebot%3A invalid calls::1 calls stayed invalid")


def test_it_knows_where_it_is(tmp_path: Path) -> None:
    assert github.is_here({"GITHUB_ACTIONS": "true"})
    assert not github.is_here({})
    assert github.summary_file({"GITHUB_STEP_SUMMARY": str(tmp_path)}) == tmp_path
    assert github.summary_file({}) is None
