"""The verdict on a call: the product of its declared checks.

    result = await judge(scenario, trial, measures)
    result.verdict, [finding.says for finding in result.failed]

A check without evidence has failed. A call in which the simulation itself broke (caller, line, judge) is 'invalid': it
says nothing about the agent, is shown apart and made again.
"""

from __future__ import annotations

from pathlib import Path

from voicebot.errors import VoicebotError
from voicebot.personas.role import Role

from . import checks
from . import judge as judges
from .checks.evidence import Evidence
from .measures import Measures
from .result import Finding, Result
from .scenario import Scenario
from .trial import Trial


async def judge(
    scenario: Scenario, trial: Trial, measures: Measures, *, llm: str | None = None, root: Path | None = None
) -> Result:
    """What the declared checks find in a call. `llm` judges claims instead of the model that the scenario names;
    `root` is the project whose `.env` holds the keys, where the scenario's own file does not tell it.

    Never raises for what a call holds; a judge that cannot be asked or does not answer as it must makes the run
    invalid.
    """
    if trial.broke:
        return _result(trial, measures, [], broke=trial.broke)
    call = Evidence(trial, measures, _ways(scenario))
    findings = [*_crash(trial), *checks.run(scenario.checks, call)]
    claims = scenario.checks.judge
    if claims is not None:
        try:
            findings += await judges.rule(claims, call, llm=llm, root=root or scenario.root)
        except (judges.Unfit, VoicebotError) as error:
            return _result(trial, measures, findings, broke=f"the judge: {error}")
    return _result(trial, measures, findings)


def _result(trial: Trial, measures: Measures, findings: list[Finding], broke: str = "") -> Result:
    passed = all(finding.ok for finding in findings)
    verdict = "invalid" if broke else "passed" if passed and findings else "failed"
    return Result(
        case=trial.case, attempt=trial.attempt, verdict=verdict, findings=findings, measures=measures, broke=broke
    )


def _crash(trial: Trial) -> list[Finding]:
    """An agent that breaks down in a call has failed it, whatever else was declared."""
    if trial.ended != "failed":
        return []
    detail = next((e.detail for e in reversed(trial.events) if e.type == "call_ended"), "")
    at_ms = trial.events[-1].t_ms if trial.events else None
    return [Finding(check="call", ok=False, stage="call", says=f"the call broke down: {detail}", at_ms=at_ms)]


def _ways(role: Role) -> dict[str, list[str]]:
    return {name: known.say for name, known in role.facts.items()}
