"""`voicebot calls kpis` as a user types it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.doubles.recorded_call import RecordedCall, booking
from voicebot import commands


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two booked calls of Ava's on one day, and one of Ben's on the next that was only answered."""
    for number in range(2):
        booking(f"a{number}", agent="Ava", started_at="2026-11-21T10:00:00+01:00").write(
            tmp_path / "calls", audio=False
        )
    ben = RecordedCall("b", agent="Ben", started_at="2026-11-22T10:00:00+01:00").greets("Hello.")
    ben.ended("caller_hung_up").write(tmp_path / "calls", audio=False)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], project: Path, *words: str) -> str:
    assert commands.run(["calls", "kpis", "--project", str(project), *words]) == 0
    return capsys.readouterr().out


def test_all_calls_together(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = dict(line.split("\t", 1) for line in said(capsys, project).splitlines())
    assert lines["containment"] == "66.7 %\t3 few\tcalls that came to an end"
    assert lines["abandonment"].startswith("33.3 %\t3 few")
    assert lines["v2v_p50"] == "364 ms\t8 few\tanswered turns"
    assert lines["interruption"].startswith("18.2 %\t11\t")


def test_a_row_for_each_group_with_a_dash_where_nothing_was_measured(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, project, "--by", "agent, day", "--kpi", "containment,tools,v2v_p95")
    assert out.splitlines() == [
        "Ava\t2026-11-21\t2\t100 % n 2 few\t100 % n 4 few\t662 ms n 8 few",
        "Ben\t2026-11-22\t1\t0 % n 1 few\t-\t-",
    ]


def test_json_and_csv_have_every_figure_and_its_n(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(said(capsys, project, "--by", "agent", "--format", "json"))
    assert [(row["agent"], row["calls"]) for row in rows] == [("Ava", 2), ("Ben", 1)]
    assert rows[0]["kpis"]["tools"] == {"value": 1.0, "n": 4}
    assert rows[1]["kpis"]["tools"] == {"value": None, "n": 0}
    ava, ben = csv.DictReader(io.StringIO(said(capsys, project, "--by", "agent", "-f", "csv")))
    assert (ava["tools"], ava["tools_n"], ben["tools"], ben["tools_n"]) == ("1.0", "4", "", "0")


def test_a_plot_has_a_bar_for_each_row(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, project, "--by", "agent", "--kpi", "containment", "--plot")
    assert f"  Ava {'█' * 32} 100 %  n 2 few" in out
    assert "  Ben  0 %  n 1 few" in out


def test_only_some_calls(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--since", "2026-11-22"], ["--where", "agent = 'Ben'"]):
        assert json.loads(said(capsys, project, "--format", "json", *words))[0]["calls"] == 1


@pytest.mark.parametrize(
    "words", [["--by", "agnet"], ["--since", "soon"], ["--where", "nonsense"], ["--kpi", "luck"], ["--format", "pdf"]]
)
def test_a_wrong_question_is_bad_input(project: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert commands.run(["calls", "kpis", "--project", str(project), *words]) == 2
    assert capsys.readouterr().err.count("\n") >= 1
