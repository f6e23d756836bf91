"""Calls on a cluster: the project travels there, the record comes back, whatever happens to the node."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from tests.doubles import fake_ray, staged
from voicebot.errors import MissingExtra, Unavailable
from voicebot.evals.case import Case
from voicebot.evals.planned import Planned
from voicebot.evals.result import Result
from voicebot.evals.running import cluster, runner
from voicebot.evals.running.cluster import Cluster
from voicebot.evals.running.jobs import Done, Job, Lost, Refused, Report
from voicebot.evals.trial import Trial

REAL = importlib.util.find_spec("ray") is not None


@dataclass(frozen=True)
class Placed:
    """As much of a planned call as travels."""

    case: Case
    root: Path
    agent: Path


def reads_its_agent(job: Job, report: Report) -> tuple[Trial, Result]:
    """A call that shows where it was made: the agent's file is its record."""
    assert not job.folder.exists()
    trial, result = staged.play(job, report)
    (job.folder / "agent.yaml").write_text(job.planned.agent.read_text())
    (job.folder / "root.txt").write_text(str(job.planned.root))
    return trial, result


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "desk"
    for name in ("agents/ava.yaml", "evals/books.yaml", "evals/runs/old/call.wav", "calls/old/call.wav", ".env"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "linked.py").symlink_to(root / "agents/ava.yaml")
    return root


def jobs(project: Path, *personas: str) -> list[Job]:
    made = [Placed(staged.case(name), project, project / "agents/ava.yaml") for name in personas]
    folder = project / "evals/runs/new/calls"
    return [Job(cast(Planned, each), folder / each.case.persona) for each in made]


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_ray.Ray]:
    ray = fake_ray.Ray(cores=2)
    monkeypatch.setattr(cluster, "_ray", lambda: ray)
    yield ray
    assert not ray.running, "the cluster was left behind"


def news(crew: Cluster, todo: list[Job]) -> list[Any]:
    told: list[Any] = []
    for job in todo:
        crew.submit(job)
        told += crew.wait(5)
    crew.close()
    return told


def test_the_project_goes_there_and_the_record_comes_back(project: Path, faked: fake_ray.Ray) -> None:
    (done,) = news(Cluster("local", reads_its_agent), jobs(project, "good"))
    assert isinstance(done, Done)
    assert done.trial.folder == done.job.folder == project / "evals/runs/new/calls/good"
    assert (done.job.folder / "agent.yaml").read_text() == "agents/ava.yaml"
    elsewhere = Path((done.job.folder / "root.txt").read_text())
    assert elsewhere != project
    sent = {str(path.relative_to(elsewhere)) for path in elsewhere.rglob("*") if path.is_file()}
    assert sent == {"agents/ava.yaml", "evals/books.yaml", "linked.py"}, (
        "no key, no record of a call leaves the machine"
    )


def test_what_goes_wrong_there_is_told_here(project: Path, faked: fake_ray.Ray) -> None:
    told = news(Cluster("local", staged.play), jobs(project, "misspelt", "unavailable", "raises", "bad"))
    assert [type(each) for each in told] == [Refused, Lost, Lost, Done]
    assert [each.why for each in told[1:3]] == ["openai: no answer.", "ZeroDivisionError: the engine broke"]


def test_a_node_that_dies_loses_one_call(project: Path, faked: fake_ray.Ray) -> None:
    faked.broken = {"good"}
    (lost,) = news(Cluster("local", staged.play), jobs(project, "good"))
    assert isinstance(lost, Lost)
    assert "the cluster lost the call: RayError" in lost.why


def test_no_more_calls_than_there_are_cores_or_wanted(project: Path, faked: fake_ray.Ray) -> None:
    crew = Cluster("local", staged.play)
    for job in jobs(project, "a", "b"):
        assert crew.free
        crew.submit(job)
    assert not crew.free
    crew.close()
    one = Cluster("local", staged.play, limit=1)
    one.submit(jobs(project, "a")[0])
    assert not one.free
    one.close()


def test_a_cluster_that_is_not_there_is_said(faked: fake_ray.Ray) -> None:
    with pytest.raises(Unavailable, match=r"no Ray cluster at 'nowhere:1'"):
        Cluster("nowhere:1", staged.play)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r'pip install "voicebot\[ray\]"'):
        Cluster("local", staged.play)


@pytest.mark.skipif(not REAL, reason="Ray is not installed: pip install 'voicebot[ray]'")
def test_a_real_cluster_of_this_machine_makes_the_same_calls(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # its processes look for the double there
    planned = [
        cast(Planned, Placed(staged.case(name), project, project / "agents/ava.yaml")) for name in ("good", "bad")
    ]
    run = staged.run(tmp_path, planned)
    crew = Cluster("local", staged.play, limit=1)
    assert runner.make(run, runner.jobs(run, planned), crew, watch=staged.Seen()) == "done"
    assert [result.verdict for result in run.final()] == ["passed", "failed"]
    assert all(trial.folder and (trial.folder / "events.jsonl").exists() for trial in run.trials())
