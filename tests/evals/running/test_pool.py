"""Worker processes: each call in one of its own, whatever it does to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import staged
from voicebot.errors import BadInput, Unavailable
from voicebot.evals.kept import runs
from voicebot.evals.kept.runs import Run
from voicebot.evals.running import runner
from voicebot.evals.running.budget import Budget
from voicebot.evals.running.pool import Pool


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    pool = Pool(2, staged.play, tmp_path / "workers.log", stall_s=2.0)
    yield pool
    pool.close()


def make(root: Path, pool: Pool, *personas: str, budget: Budget | None = None) -> tuple[Run, staged.Seen, runs.State]:
    planned = staged.plan(*personas)
    run, seen = staged.run(root, planned), staged.Seen()
    state = runner.make(run, runner.jobs(run, planned), pool, watch=seen, budget=budget)
    return runs.load(run.folder), seen, state


def verdicts(run: Run) -> list[tuple[str, int, str]]:
    return [(result.case.persona, result.attempt, result.verdict) for result in run.results()]


def test_calls_come_back_in_the_order_of_the_plan_whatever_their_speed(tmp_path: Path, pool: Pool) -> None:
    run, seen, state = make(tmp_path, pool, "patient", "good", "bad")
    assert state == run.meta.state == "done"
    assert verdicts(run) == [("patient", 1, "passed"), ("good", 1, "passed"), ("bad", 1, "failed")]
    assert [trial.case.persona for trial in run.trials()] == ["patient", "good", "bad"]
    assert seen.ends[0][0] != "patient"
    assert seen.turns
    lines = (run.folder / runs.RESULTS).read_text().splitlines()
    assert ["patient" in line for line in lines] == [True, False, False]


def test_a_worker_that_dies_or_hangs_is_replaced_and_its_call_made_again(tmp_path: Path, pool: Pool) -> None:
    began = time.monotonic()
    run, seen, _ = make(tmp_path, pool, "dies-once", "hangs-once", "good")
    assert time.monotonic() - began < 60, "the hanging call was waited for"
    assert [(each.case.persona, each.verdict) for each in run.final()] == [
        ("dies-once", "passed"), ("hangs-once", "passed"), ("good", "passed"),
    ]  # fmt: skip
    broke = {result.case.persona: result.broke for result in run.results() if result.verdict == "invalid"}
    assert "SIGKILL" in broke["dies-once"]
    assert "nothing was heard" in broke["hangs-once"]
    assert ("dies-once", "invalid", True) in seen.ends


def test_what_stays_invalid_is_tried_three_times_and_never_counted(tmp_path: Path, pool: Pool) -> None:
    run, seen, _ = make(tmp_path, pool, "raises", "invalid", "unavailable", "good")
    tries = [(persona, attempt) for persona, attempt, verdict in verdicts(run) if verdict == "invalid"]
    assert tries == [(persona, n) for persona in ("raises", "invalid", "unavailable") for n in (1, 2, 3)]
    assert [case.persona for case in run.missing()] == ["raises", "invalid", "unavailable"]
    assert {result.broke for result in run.final()} >= {"ZeroDivisionError: the engine broke", "openai: no answer."}
    assert [again for persona, _, again in seen.ends if persona == "invalid"] == [True, True, False]
    assert "ZeroDivisionError" in (tmp_path / "workers.log").read_text()


def test_a_file_of_the_user_that_is_wrong_stops_everything(tmp_path: Path, pool: Pool) -> None:
    with pytest.raises(BadInput, match="unknown key 'brian'"):
        make(tmp_path, pool, "misspelt", "slow")
    assert not pool.busy


def test_when_nothing_works_no_more_is_tried(tmp_path: Path, pool: Pool) -> None:
    with pytest.raises(Unavailable, match=r"not one of 10 calls was valid.*the line broke"):
        make(tmp_path, pool, *(["invalid"] * 1), *(f"invalid-{n}" for n in range(20)))


def test_a_process_that_cannot_start_is_said_at_once(tmp_path: Path) -> None:
    pool = Pool(2, staged.play, tmp_path / "no-such-folder" / "workers.log")
    with pytest.raises(Unavailable, match="could not start"):
        make(tmp_path, pool, "good")


def test_a_budget_ends_the_run_politely_and_a_later_one_goes_on(tmp_path: Path, pool: Pool) -> None:
    planned = staged.plan("good", seeds=6)
    run = staged.run(tmp_path, planned)
    budget = Budget(usd=0.03)
    assert runner.make(run, runner.jobs(run, planned), pool, watch=staged.Seen(), budget=budget) == "out_of_budget"
    assert budget.used_up == "$0.03 of $0.03 spent" or budget.used_up == "$0.04 of $0.03 spent"
    assert 2 <= len(run.missing()) <= 3
    again = runs.load(run.folder)
    rest = Pool(1, staged.play, tmp_path / "workers.log")
    assert runner.make(again, runner.jobs(again, planned), rest, watch=staged.Seen()) == "done"
    assert (again.missing(), len(again.results())) == ([], 6)


def test_every_cell_is_called_once_before_any_is_called_twice(tmp_path: Path) -> None:
    planned = staged.plan("a", "b", seeds=2)
    order = [(job.case.persona, job.case.seed) for job in runner.jobs(staged.run(tmp_path, planned), planned)]
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
