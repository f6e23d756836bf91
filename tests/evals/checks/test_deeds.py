from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.doubles.evidence import evidence, found, one
from tests.doubles.recorded_call import RecordedCall
from voicebot.evals.checks import Checks, Evidence

BOOK = {"name": "Maria Lopez", "day": "2027-03-04", "time": "15:00", "phone": None, "extra": {"new": True, "n": 2}}


@pytest.fixture
def call(tmp_path: Path) -> Evidence:
    made = (
        RecordedCall()
        .turn("thursday", "At what time?", tool=("find_day", {"day": "2027-03-04"}, {"outcome": "free"}))
        .turn("at three", "Shall I book it?", tool=("find_time", {"time": "15:00"}, {"outcome": "free"}))
        .turn("yes", "You're booked.", tool=("book", BOOK, {"outcome": "booked", "appointment": 1}))
        .ended()
    )
    return evidence(tmp_path, made, facts={"name": "Maria Lopez", "day": "2027-03-04"})


@pytest.mark.parametrize(
    "wanted",
    [
        {"tool": "book"},
        {"tool": "book", "times": 1},
        {"tool": "cancel", "times": 0},
        {"tool": "book", "with": {"name": "maria lopez", "phone": None}},
        {"tool": "book", "with": {"name": "{name}", "day": "{day}"}},
        {"tool": "book", "with": {"day": "thursday"}},
        {"tool": "book", "with": {"extra": {"new": True}}},
        {"tool": "book", "returns": {"outcome": "booked"}},
        {"tool": "book", "schema": {"required": ["name", "day"], "properties": {"time": {"pattern": "^15:"}}}},
    ],
)
def test_a_call_that_was_made_passes(wanted: dict[str, Any], call: Evidence) -> None:
    assert one({"called": [wanted]}, call).ok


@pytest.mark.parametrize(
    "wanted",
    [
        {"tool": "cancel"},
        {"tool": "book", "times": 2},
        {"tool": "book", "times": 0},
        {"tool": "book", "with": {"name": "Emma White"}},
        {"tool": "book", "with": {"doctor": "Chen"}},
        {"tool": "book", "with": {"phone": "555"}},
        {"tool": "book", "with": {"extra": {"n": "2"}}},
        {"tool": "book", "with": {"name": "{nobody}"}},
        {"tool": "book", "returns": {"outcome": "taken"}},
        {"tool": "book", "schema": {"required": ["insurance"]}},
    ],
)
def test_a_call_that_was_not_made_like_that_fails(wanted: dict[str, Any], call: Evidence) -> None:
    finding = one({"called": [wanted]}, call)
    assert not finding.ok
    assert finding.stage == "brain"


def test_a_wrong_argument_is_shown_with_what_was_passed(call: Evidence) -> None:
    finding = one({"called": [{"tool": "book", "with": {"time": "16:00"}}]}, call)
    assert finding.says.startswith("'book' should be called at least once with time 16:00; it was 0 times")
    assert "time='15:00'" in finding.quote
    assert finding.at_ms == [event.t_ms for event in call.events if event.type == "tool_called"][-1]


def test_a_forbidden_tool_is_caught_at_its_moment(call: Evidence) -> None:
    assert one({"not_called": "cancel"}, call).ok
    caught = one({"not_called": "book"}, call)
    assert not caught.ok
    assert caught.at_ms is not None


@pytest.mark.parametrize(
    ("order", "ok"),
    [
        (["find_day", "find_time", "book"], True),
        (["find_day", "book"], True),
        (["book", "find_day"], False),
        (["find_day", "cancel"], False),
        (["book", "book"], False),
    ],
)
def test_order_lets_others_between(order: list[str], ok: bool, call: Evidence) -> None:
    assert one({"order": order}, call).ok is ok


def test_too_many_calls_are_a_loop(call: Evidence) -> None:
    assert one({"most_calls": 3}, call).ok
    looped = one({"most_calls": 2}, call)
    assert looped.says == "3 calls of tools, at most 2 are allowed"
    assert looped.quote.startswith("book(")


def test_without_a_record_nothing_was_shown_to_be_called_or_not(tmp_path: Path) -> None:
    declared = {"called": [{"tool": "book", "times": 0}], "not_called": "book", "order": ["book"], "most_calls": 9}
    findings = found(declared, evidence(tmp_path, None))
    assert len(findings) == 4
    assert {(finding.ok, finding.stage) for finding in findings} == {(False, "call")}


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not a JSON schema"):
        Checks.model_validate({"called": [{"tool": "book", "schema": {"type": "nonsense"}}]})
