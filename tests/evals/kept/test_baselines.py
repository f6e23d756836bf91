from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import staged
from voicebot.errors import BadInput
from voicebot.evals.kept import baselines, runs
from voicebot.evals.kept.provenance import Machine

GOOD, BAD = staged.result(staged.case("good")), staged.result(staged.case("bad"), "failed")


def test_a_baseline_is_a_small_file_with_the_results_and_where_they_are_from(tmp_path: Path) -> None:
    run = staged.kept(tmp_path, GOOD, BAD)
    path = baselines.set_(run, tmp_path)
    assert path == tmp_path / "evals/baselines/ci.jsonl"
    assert len(path.read_text().splitlines()) == 3
    found = baselines.side("baseline", tmp_path)
    assert (found.meta.id, found.final()) == (run.id, run.final())
    assert baselines.title(found) == "baseline of 2027-03-01"
    assert found.trials() == []
    baselines.remove(tmp_path, "ci")
    with pytest.raises(BadInput, match="voicebot eval baseline set"):
        baselines.side("baseline", tmp_path)


def test_only_a_whole_run_becomes_one(tmp_path: Path) -> None:
    half = staged.run(tmp_path, staged.plan("good", "bad"))
    with pytest.raises(BadInput, match="no valid call"):
        baselines.set_(half, tmp_path)
    half.add(staged.trial(GOOD.case), GOOD)
    with pytest.raises(BadInput, match=r"lacks 1 of its 2 calls.*--resume"):
        baselines.set_(half, tmp_path)


def test_a_side_may_be_a_file_with_results_from_elsewhere(tmp_path: Path) -> None:
    run = staged.kept(tmp_path, GOOD, BAD)
    run.judged([staged.result(BAD.case)])
    found = baselines.side(str(run.folder / runs.RESULTS), tmp_path)
    assert [result.verdict for result in found.final()] == ["passed", "passed"]


def test_which_baseline_is_meant_must_be_clear(tmp_path: Path) -> None:
    for suite in ("ci", "full"):
        baselines.set_(staged.kept(tmp_path, GOOD, suite=suite), tmp_path)
    assert baselines.side("baseline", tmp_path, "full").meta.suite == "full"
    assert [each.meta.suite for each in baselines.every(tmp_path)] == ["ci", "full"]
    with pytest.raises(BadInput, match="several baselines"):
        baselines.side("baseline", tmp_path)
    with pytest.raises(BadInput, match="Did you mean 'full'"):
        baselines.side("baseline", tmp_path, "fulll")


def test_latencies_of_two_machines_are_not_compared(tmp_path: Path) -> None:
    a, b = staged.kept(tmp_path, GOOD), staged.kept(tmp_path, GOOD)
    a.meta.machine = b.meta.machine = Machine(name="one", cpu="fast")
    assert baselines.comparable(a, b) == (a.final(), b.final(), "")
    b.meta.machine = Machine(name="two", cpu="slow")
    left, right, why = baselines.comparable(a, b)
    assert "latencies are not compared" in why
    assert [result.measures.v2v_ms for result in (*left, *right)] == [[], []]
    assert left[0].measures.responses == GOOD.measures.responses
