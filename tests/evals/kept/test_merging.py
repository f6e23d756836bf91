from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles import staged
from voicebot.errors import BadInput
from voicebot.evals.kept import merging
from voicebot.evals.kept.runs import Run
from voicebot.evals.result import Result


def part(root: Path, *results: Result, suite: str = "ci") -> Run:
    run = staged.kept(root, *results, suite=suite)
    for result in results:
        folder = run.call_folder(result.case)
        folder.mkdir(parents=True)
        (folder / "call.wav").write_bytes(b"sound of " + result.case.persona.encode())
        run.add(staged.trial(result.case, folder=folder), result)
    return run


def test_parts_become_one_run_that_stands_alone(tmp_path: Path) -> None:
    parts = [part(tmp_path / name, staged.result(staged.case(name))) for name in ("a", "b")]
    whole = merging.merge(parts, tmp_path)
    assert [result.case.persona for result in whole.results()] == ["a", "b"]
    assert whole.meta.merged == [each.id for each in parts]
    for each in parts:
        (each.call_folder(each.meta.planned[0]) / "call.wav").unlink()
    sounds = [trial.audio.read_bytes() for trial in whole.trials() if trial.audio]
    assert sounds == [b"sound of a", b"sound of b"]
    assert whole.missing() == []


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    a = part(tmp_path / "a", staged.result(staged.case("a")))
    with pytest.raises(BadInput, match="two or more"):
        merging.merge([a], tmp_path)
    with pytest.raises(BadInput, match=r"the call books/a/clean#0 is in .* and in "):
        merging.merge([a, part(tmp_path / "b", staged.result(staged.case("a")))], tmp_path)
    with pytest.raises(BadInput, match="of the suite 'full'"):
        merging.merge([a, part(tmp_path / "c", staged.result(staged.case("c")), suite="full")], tmp_path)
    other = part(tmp_path / "d", staged.result(staged.case("d")))
    a.meta.hashes, other.meta.hashes = {"agents": "1"}, {"agents": "2"}
    with pytest.raises(BadInput, match="made with other agents"):
        merging.merge([a, other], tmp_path)
