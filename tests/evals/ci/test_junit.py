"""JUnit XML: what the schemas of Ant (windyroad/JUnit-Schema) and of Jenkins' xunit plugin ask for, rule by rule."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from tests.doubles import staged
from voicebot.evals.ci import junit
from voicebot.evals.kept.provenance import Commit
from voicebot.evals.kept.runs import Run

REQUIRED = ["name", "timestamp", "hostname", "tests", "failures", "errors", "time", "id", "package"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    results = [
        staged.result(staged.case("good")),
        staged.result(staged.case("bad"), "failed"),
        staged.result(staged.case("odd"), "invalid", broke="the line broke: \x00\x1b[31m <&>\n"),
    ]
    run = staged.kept(tmp_path, *results)
    run.meta.planned.append(staged.case("never"))
    run.meta.commit = Commit(sha="1b2c3d4")
    return run


def written(run: Run, path: Path) -> Element:
    junit.write(run, path)
    return ElementTree.parse(path).getroot()


def test_the_file_is_as_the_schemas_want_it(run: Run, tmp_path: Path) -> None:
    root = written(run, tmp_path / "made/here/results.xml")
    assert (root.tag, root.attrib) == ("testsuites", {}), "the schema of Ant allows no attributes here"
    (suite,) = root
    assert [name for name in REQUIRED if not suite.get(name)] == []
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"]), "no zone may be named"
    assert [child.tag for child in suite] == ["properties", *["testcase"] * 4, "system-out", "system-err"]
    assert re.fullmatch(r"\d+\.\d+", suite.attrib["time"])
    for case in suite.findall("testcase"):
        assert set(case.attrib) == {"classname", "name", "time"}
        assert len(case) <= 1, "one outcome a case"


def test_every_case_is_there_with_its_outcome(run: Run, tmp_path: Path) -> None:
    (suite,) = written(run, tmp_path / "results.xml")
    counts = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "1"]
    outcomes = {case.get("name"): [child.tag for child in case] for case in suite.findall("testcase")}
    assert outcomes == {
        "good/clean#0": [], "bad/clean#0": ["failure"], "odd/clean#0": ["error"], "never/clean#0": ["skipped"],
    }  # fmt: skip
    assert {case.get("classname") for case in suite.findall("testcase")} == {"ci.books"}
    properties = {each.get("name"): each.get("value") for each in suite.findall("properties/property")}
    assert properties["commit"] == "1b2c3d4"


def test_a_failure_names_stage_check_moment_and_words(run: Run, tmp_path: Path) -> None:
    failure = written(run, tmp_path / "results.xml").find(".//failure")
    assert failure is not None
    assert failure.get("type") == "tools"
    assert failure.get("message") == "expected 1 record, found none"
    assert failure.text is not None
    assert 'tools: expect data/appointments.json at 12.3 s: expected 1 record, found none "two"' in failure.text


def test_what_xml_cannot_hold_is_replaced(run: Run, tmp_path: Path) -> None:
    error = written(run, tmp_path / "results.xml").find(".//error")
    assert error is not None
    assert "the line broke: \ufffd\ufffd[31m <&>" in (error.text or "")
