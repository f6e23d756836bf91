"""A run as JUnit XML, in the order and with the attributes that the schemas of Ant and Jenkins both ask for.

A test case is a case of the suite. A check that failed is a <failure> whose type is the stage, a case that stayed
invalid is an <error> (it says nothing about the agent), a call that was not made is <skipped>.
Schema: https://github.com/windyroad/JUnit-Schema
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from voicebot.evals.case import Case
from voicebot.evals.kept.runs import Run
from voicebot.evals.result import Result

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped; a recogniser or a tool may have said it."""


def write(run: Run, path: Path) -> None:
    """Raises OSError when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = ElementTree(document(run))
    indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def document(run: Run) -> Element:
    """<testsuites> with one <testsuite>."""
    results = {result.case.id: result for result in run.final()}
    seconds = {trial.case.id: trial.wall_s for trial in run.trials()}
    cases = run.meta.planned or [result.case for result in results.values()]
    verdicts = [results[case.id].verdict if case.id in results else "missing" for case in cases]
    root = Element("testsuites")
    suite = SubElement(
        root,
        "testsuite",
        {
            "name": _clean(run.meta.suite),
            "id": "0",
            "package": "evals",
            "timestamp": run.meta.started_at[:19],
            "hostname": run.meta.machine.name or "localhost",
            "tests": str(len(cases)),
            "failures": str(verdicts.count("failed")),
            "errors": str(verdicts.count("invalid")),
            "skipped": str(verdicts.count("missing")),
            "time": f"{run.meta.seconds:.3f}",
        },
    )
    _properties(suite, run)
    for case in cases:
        suite.append(_testcase(run, case, results.get(case.id), seconds.get(case.id, 0.0)))
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")
    return root


def _properties(suite: Element, run: Run) -> None:
    known = {"run": run.id, **run.meta.versions}
    if run.meta.commit:
        known["commit"] = run.meta.commit.sha
    properties = SubElement(suite, "properties")
    for name, value in known.items():
        SubElement(properties, "property", {"name": _clean(name), "value": _clean(value)})


def _testcase(run: Run, case: Case, result: Result | None, seconds: float) -> Element:
    name = f"{case.persona}/{case.line}#{case.seed}"
    found = Element(
        "testcase",
        {"classname": _clean(f"{run.meta.suite}.{case.scenario}"), "name": _clean(name), "time": f"{seconds:.3f}"},
    )
    if result is None:
        SubElement(found, "skipped")
    elif result.verdict == "invalid":
        error = SubElement(
            found, "error", {"message": _clean(result.broke or "the call was invalid"), "type": "invalid"}
        )
        error.text = _clean(f"attempt {result.attempt}: {result.broke}\n{_call(run, result)}")
    elif result.verdict == "failed":
        failed = result.failed
        message = failed[0].says if failed else "a check failed"
        stage = failed[0].stage if failed else "call"
        failure = SubElement(found, "failure", {"message": _clean(message), "type": stage})
        failure.text = _clean("\n".join([*_findings(result), _call(run, result)]))
    return found


def _findings(result: Result) -> list[str]:
    lines = []
    for finding in result.failed:
        when = f" at {finding.at_ms / 1000:.1f} s" if finding.at_ms is not None else ""
        quote = f' "{finding.quote}"' if finding.quote else ""
        lines.append(f"{finding.stage}: {finding.check}{when}: {finding.says}{quote}")
    return lines


def _call(run: Run, result: Result) -> str:
    return f"call: {run.folder.name}/{result.call}" if result.call else ""


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
