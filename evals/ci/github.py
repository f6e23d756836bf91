"""Annotations of GitHub Actions: a failed check is shown at its line of the scenario file.

Workflow commands: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from voicebot import paths
from voicebot.evals.kept.runs import Run
from voicebot.evals.result import Finding, Result

SHOWN = 10
"""So many errors of a step does GitHub show."""


def is_here(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a job of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def summary_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file whose markdown is shown on the page of the job."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    return Path(path) if path else None


def commands(run: Run, root: Path, *, good: bool = False) -> list[str]:
    """One line a check of a scenario that failed, the most frequent first, then one for what stayed invalid.

    `good`: the run is good all the same, as one whose failures were there before; they are warnings then.
    """
    results = run.final()
    calls = Counter(result.case.scenario for result in results if result.verdict != "invalid")
    failed: dict[tuple[str, str], list[tuple[Result, Finding]]] = {}
    for result in results:
        for finding in result.failed if result.verdict == "failed" else []:
            failed.setdefault((result.case.scenario, finding.check), []).append((result, finding))
    often = sorted(failed.items(), key=lambda item: -len(item[1]))
    kind = "warning" if good else "error"
    lines = [_failure(kind, root, scenario, found, calls[scenario]) for (scenario, _), found in often[: SHOWN - 1]]
    broken = [result for result in results if result.verdict == "invalid"]
    if broken:
        text = f"{len(broken)} calls stayed invalid and are not counted. The first: {broken[0].broke}"
        lines.append(_command("warning", text, title="voicebot: invalid calls"))
    return lines


def _failure(kind: str, root: Path, scenario: str, found: list[tuple[Result, Finding]], calls: int) -> str:
    result, finding = found[0]
    path = scenario_file(root, scenario)
    text = f"{finding.says} ({len(found)} of {calls} calls, first {result.case.id}, stage {finding.stage})"
    where = {"file": paths.shown(path), "line": str(line_of(path, finding.check))} if path else {}
    return _command(kind, text, title=f"{scenario}: {finding.check}", **where)


def scenario_file(root: Path, scenario: str) -> Path | None:
    files = {path.stem: path for path in paths.yaml_files(paths.evals_dir(root))}
    return files.get(scenario)


def line_of(path: Path, check: str) -> int:
    """The line of a scenario file that declares a check such as 'expect data/orders.json': the one that holds its
    most telling word, after its key; 1 when there is none."""
    key, _, rest = check.partition(" ")
    words = key.split(".")
    lines = path.read_text(encoding="utf-8").splitlines()
    place = 0
    for word in words:
        place = next((n for n in range(place, len(lines)) if re.search(rf"\b{re.escape(word)}\s*:", lines[n])), place)
    telling = rest.strip().strip("'\"")
    within = next((n for n in range(place, len(lines)) if telling and telling in lines[n]), place)
    return within + 1


def _command(kind: str, text: str, **properties: str) -> str:
    given = ",".join(f"{name}={_escaped(value, property_=True)}" for name, value in properties.items())
    return f"::{kind} {given}::{_escaped(text)}"


def _escaped(text: str, *, property_: bool = False) -> str:
    for raw, coded in {"%": "%25", "\r": "%0D", "\n": "%0A"}.items():
        text = text.replace(raw, coded)
    return text.replace(":", "%3A").replace(",", "%2C") if property_ else text
