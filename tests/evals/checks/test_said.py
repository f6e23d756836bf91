from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from tests.doubles.evidence import evidence, found, one
from tests.doubles.recorded_call import RecordedCall
from voicebot.evals.checks import Checks, Evidence
from voicebot.personas.truth import Sound

FACTS = {"name": "Maria Lopez", "day": "2027-03-04", "time": "15:00", "order": "20117", "treatment": "check-up"}
MONDAY = "2027-03-01T09:30:00+00:00"


@pytest.fixture
def call(tmp_path: Path) -> Evidence:
    made = (
        RecordedCall(started_at=MONDAY)
        .greets("Bright Smile Dental, this is Ava. How can I help?")
        .turn("a cleaning please", "Order two zero one one seven, hiking boots, is on its way. Anything else?")
        .turn(
            "how much is it",
            "On Thursday the fourth of March at three o'clock. The secret word is banana.",
            heard="On Thursday the fourth of March at three o'clock.",
        )
        .ended()
    )
    return evidence(tmp_path, made, facts=FACTS, ways={"treatment": ["routine visit"]})


@pytest.mark.parametrize(
    "pattern",
    [
        "hiking boots",
        "HIKING BOOTS",
        r"order [\d ]+, hiking",
        "order {order}, hiking",
        "{day}",
        "at {time}",
        "on {day} at {time}",
        "dental, this is ava",
    ],
)
def test_what_was_heard_is_found(pattern: str, call: Evidence) -> None:
    said = one({"said": pattern}, call)
    assert said.ok, said.says
    caught = one({"never_said": pattern}, call)
    assert not caught.ok
    assert caught.at_ms == said.at_ms is not None


@pytest.mark.parametrize("pattern", ["banana", "{name}", "friday", "order 20118", "{treatment}"])
def test_what_was_not_heard_is_not_found(pattern: str, call: Evidence) -> None:
    """'banana' was meant to be said, but the caller interrupted before it."""
    assert not one({"said": pattern}, call).ok
    assert one({"never_said": pattern}, call).ok


def test_a_fact_is_found_in_every_way_the_caller_puts_it(tmp_path: Path) -> None:
    made = RecordedCall().greets("A routine visit, Maria Lopez, on twenty seven march.").ended()
    call = evidence(tmp_path, made, facts=FACTS, ways={"treatment": ["routine visit"]})
    assert one({"said": "a {treatment}, {name}"}, call).ok


def test_said_tells_the_moment_and_the_words(call: Evidence) -> None:
    said = one({"said": "hiking boots"}, call)
    clause = next(event for event in call.events if event.type == "agent_saying" and "hiking" in event.text)
    assert said.at_ms == clause.starts_ms
    assert "hiking boots" in said.quote


def test_said_within_a_time(call: Evidence) -> None:
    assert one({"said": [{"match": "this is ava", "within": "5s"}]}, call).ok
    late = one({"said": [{"match": "hiking", "within": "1s"}]}, call)
    assert not late.ok
    assert late.says.endswith("later than 1 s")


def test_said_in_answer_to_the_caller(call: Evidence) -> None:
    assert one({"said": [{"match": "thursday", "answering": "how much"}]}, call).ok
    assert not one({"said": [{"match": "hiking", "answering": "how much"}]}, call).ok
    never = one({"said": [{"match": "hiking", "answering": "weather"}]}, call)
    assert "the caller never said 'weather'" in never.says


def test_what_the_caller_truly_said_counts_not_what_was_understood(tmp_path: Path) -> None:
    made = RecordedCall().turn("how match is it", "Ninety dollars.").ended()
    truth = [Sound(kind="speech", starts_ms=500, ends_ms=1780, text="how much is it?")]
    call = evidence(tmp_path, made, sounds=truth)
    assert one({"said": [{"match": "ninety", "answering": "how much"}]}, call).ok


@pytest.mark.parametrize("checks", [{"said": "hello"}, {"never_said": "hello"}])
def test_without_a_record_nothing_was_heard(checks: dict[str, Any], tmp_path: Path) -> None:
    finding = one(checks, evidence(tmp_path, None))
    assert (finding.ok, finding.stage) == (False, "call")


@pytest.mark.parametrize("checks", [{"said": "{nmae}"}, {"never_said": "{nmae}"}])
def test_an_unknown_fact_fails_also_where_nothing_must_be_said(checks: dict[str, Any], call: Evidence) -> None:
    finding = one(checks, call)
    assert not finding.ok
    assert finding.says == "the caller has no fact 'nmae'. Did you mean 'name'?"


def test_a_broken_pattern_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not a regular expression"):
        Checks.model_validate({"said": "(("})


class TestVerifyBefore:
    rule: ClassVar[dict[str, Any]] = {"say": ["boots"], "call": ["change"], "facts": ["order"]}

    def call(self, tmp_path: Path, *turns: tuple[str, str], tool: str = "") -> Evidence:
        made = RecordedCall().greets("Hello?")
        for caller, agent in turns:
            ran = (tool, {"order": "20117"}, {"outcome": "found"}) if tool and "boots" not in agent else None
            made.turn(caller, agent, tool=ran)
        return evidence(tmp_path, made.ended(), facts=FACTS)

    def test_after_the_fact_everything_may_be_said(self, tmp_path: Path) -> None:
        call = self.call(tmp_path, ("where is it", "The number?"), ("two zero one one seven", "Your boots are here."))
        assert one({"verify_before": [self.rule]}, call).ok

    def test_before_the_fact_it_is_a_leak_at_its_moment(self, tmp_path: Path) -> None:
        call = self.call(tmp_path, ("where is it", "Your boots are here."), ("two zero one one seven", "Yes."))
        leak = one({"verify_before": [self.rule]}, call)
        assert not leak.ok
        assert leak.quote == "Your boots are here."
        assert leak.at_ms is not None

    def test_a_fact_may_come_in_two_breaths(self, tmp_path: Path) -> None:
        call = self.call(tmp_path, ("two zero", "Yes?"), ("one one seven.", "Your boots are here."))
        assert one({"verify_before": [self.rule]}, call).ok

    def test_a_wrong_number_proves_nothing(self, tmp_path: Path) -> None:
        call = self.call(tmp_path, ("two zero one one nine", "Your boots are here."))
        assert not one({"verify_before": [self.rule]}, call).ok

    def test_a_tool_that_runs_too_early_is_a_leak(self, tmp_path: Path) -> None:
        call = self.call(tmp_path, ("change it", "Done."), tool="change")
        assert not one({"verify_before": [self.rule]}, call).ok

    @pytest.mark.parametrize(("returns", "ok"), [({}, True), ({"outcome": "found"}, True), ({"outcome": "x"}, False)])
    def test_a_tool_can_be_the_proof(self, returns: dict[str, str], ok: bool, tmp_path: Path) -> None:
        call = self.call(tmp_path, ("hello", "One moment."), ("well", "Your boots."), tool="verify")
        rule = {"say": "boots", "tool": "verify", "returns": returns}
        assert one({"verify_before": [rule]}, call).ok is ok

    def test_without_a_record_nothing_was_shown(self, tmp_path: Path) -> None:
        assert not one({"verify_before": [self.rule]}, evidence(tmp_path, None)).ok

    def test_saying_nothing_secret_is_fine(self, tmp_path: Path) -> None:
        assert one({"verify_before": [self.rule]}, self.call(tmp_path, ("hello", "Goodbye."))).ok

    @pytest.mark.parametrize(
        ("rule", "problem"),
        [
            ({"facts": ["order"]}, "nothing is protected"),
            ({"say": ["x"]}, "there is no proof"),
            ({"say": ["x"], "facts": ["y"], "returns": {"a": 1}}, "'returns' belongs to a 'tool'"),
        ],
    )
    def test_half_a_rule_is_refused(self, rule: dict[str, Any], problem: str) -> None:
        with pytest.raises(ValidationError, match=problem):
            Checks.model_validate({"verify_before": [rule]})


def test_every_declaration_has_its_finding(call: Evidence) -> None:
    assert len(found({"said": ["a", "b"], "never_said": ["c", "d"]}, call)) == 4
