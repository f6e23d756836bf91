from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.evidence import STORE, a_trial
from tests.doubles.recorded_call import RecordedCall
from voicebot.evals import verdict
from voicebot.evals.measures import Measures
from voicebot.evals.outcome import outcome
from voicebot.evals.result import Result
from voicebot.evals.scenario import Scenario
from voicebot.evals.trial import Trial


def scenario(**checks: Any) -> Scenario:
    return Scenario.model_validate({"name": "x", "goal": "y", "agent": "ava", "persona": "m", "checks": checks})


async def judged(trial: Trial, measures: Measures | None = None, **checks: Any) -> Result:
    return await verdict.judge(scenario(**checks), trial, measures or Measures())


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return a_trial(tmp_path, RecordedCall().greets("Hello?").turn("a cleaning", "Booked.").ended())


async def test_the_verdict_is_the_product(trial: Trial) -> None:
    assert (await judged(trial, ended="agent_hung_up", said="booked")).verdict == "passed"
    half = await judged(trial, ended="agent_hung_up", said="cancelled")
    assert half.verdict == "failed"
    assert [finding.check for finding in half.failed] == ["said"]
    assert len(half.findings) == 2


async def test_a_broken_simulation_is_invalid_and_says_nothing_about_the_agent(trial: Trial) -> None:
    broken = trial.model_copy(update={"broke": "the caller's voice could not start"})
    result = await judged(broken, said="cancelled")
    assert (result.verdict, result.findings) == ("invalid", [])
    assert result.broke == "the caller's voice could not start"


async def test_a_call_that_breaks_down_has_failed_whatever_was_declared(tmp_path: Path) -> None:
    call = RecordedCall().greets("Hello?").ended("failed", "ValueError: no such slot")
    result = await judged(a_trial(tmp_path, call), said="hello")
    assert result.verdict == "failed"
    assert result.failed[0].says == "the call broke down: ValueError: no such slot"


async def test_a_call_without_any_record_fails(tmp_path: Path) -> None:
    assert (await judged(a_trial(tmp_path, None), said="hello", latency={"v2v_p50": "1s"})).verdict == "failed"


BOOKED: dict[str, Any] = {"before": {STORE: []}, "after": {STORE: [{"name": "x"}]}}
WANTED = {"expect": [{"file": STORE, "where": {"name": "maria"}}]}


@pytest.mark.parametrize(
    ("about", "checks", "word"),
    [
        (BOOKED, {"expect": [{"file": STORE, "where": {"name": "x"}}]}, "reached"),
        (BOOKED, WANTED, "wrong"),
        (BOOKED | {"handed_over": "reception"}, WANTED, "wrong"),
        ({"before": {STORE: []}, "after": {STORE: []}}, WANTED, "failed"),
        ({"before": {STORE: []}, "after": {STORE: []}, "handed_over": "reception"}, WANTED, "handed_over"),
        (BOOKED, {"ended": "caller_hung_up"}, "failed"),
        (BOOKED, {"latency": {"v2v_p50": "1ms"}}, "reached"),
        ({"broke": "the line"}, WANTED, "invalid"),
    ],
)
async def test_the_outcome_in_a_word(tmp_path: Path, about: dict[str, Any], checks: dict[str, Any], word: str) -> None:
    trial = a_trial(tmp_path, RecordedCall().greets("Hello?").ended(), **about)
    assert outcome(trial, await judged(trial, **checks)) == word
