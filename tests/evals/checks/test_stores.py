from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.evidence import STORE, evidence, one
from tests.doubles.recorded_call import RecordedCall
from voicebot.evals.checks import Checks
from voicebot.evals.measures import Measures, Rate

BOOKED = [
    {"id": 7, "name": "Maria Lopez", "treatment": "cleaning", "day": "2026-12-03", "time": "15:00", "paid": False},
    {"id": 8, "name": "John Miller", "treatment": "filling", "day": "2026-12-04", "time": "09:30", "paid": True},
]
MARIA = {"name": "Maria Lopez", "treatment": "cleaning", "day": "thursday"}


def after(records: object, before: object = (), facts: dict[str, str] | None = None, **about: Any):
    stores: dict[str, Any] = {
        "before": {STORE: list(before) if isinstance(before, tuple) else before},
        "after": {STORE: records},
    }
    return evidence(Path("unused"), None, facts=MARIA if facts is None else facts, **stores, **about)


def expect(where: dict[str, object], **how: object) -> dict[str, Any]:
    return {"expect": [{"file": STORE, "where": where, **how}]}


def never(where: dict[str, object]) -> dict[str, Any]:
    return {"never": [{"file": STORE, "where": where}]}


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"name": "Maria Lopez"},
        {"name": "maria  lopez"},
        {"name": "{name}", "treatment": "{treatment}"},
        {"day": "2026-12-03"},
        {"day": "Thursday"},
        {"day": "{day}"},
        {"paid": False, "id": 7},
    ],
)
def test_a_record_that_is_there_passes(where: dict[str, object]) -> None:
    assert one(expect(where), after(BOOKED)).ok
    assert not one(never(where), after(BOOKED)).ok


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ({"name": "Mario Lopez"}, "name Mario Lopez"),
        ({"name": "{name}", "treatment": "filling"}, "name Maria Lopez, treatment filling"),
        ({"day": "friday", "name": "{name}"}, "day friday, name Maria Lopez"),
        ({"id": "7"}, "id 7"),
        ({"paid": 0}, "paid 0"),
    ],
)
def test_what_is_missing_is_told(where: dict[str, object], fields: str) -> None:
    missing = one(expect(where), after(BOOKED))
    assert not missing.ok
    assert missing.says == f"{STORE}: expected at least 1 record with {fields}, found none of 2"
    assert one(never(where), after(BOOKED)).ok


def test_a_count_is_exact() -> None:
    assert one(expect({"name": "{name}"}, count=1), after(BOOKED)).ok
    twice = one(expect({"name": "{name}"}, count=1), after([BOOKED[0], BOOKED[0]]))
    assert twice.says == f"{STORE}: expected 1 record with name Maria Lopez, found 2 of 2"
    assert one(expect({}, count=0), after([])).ok


@pytest.mark.parametrize("make", [expect, never])
@pytest.mark.parametrize(
    ("where", "records", "problem"),
    [
        ({"name": "{nmae}"}, BOOKED, "the caller has no fact 'nmae'. Did you mean 'name'?"),
        ({"nmae": "x"}, BOOKED, "no record has a field 'nmae'. Did you mean 'name'?"),
        ({"name": "x"}, {}, "is not a list of objects."),
        ({"name": "x"}, [1], "is not a list of objects."),
    ],
)
def test_what_cannot_be_looked_at_fails(make: Any, where: dict[str, object], records: object, problem: str) -> None:
    """Also where nothing is wanted: a slip of the pen must not turn a check into one that always passes."""
    finding = one(make(where), after(records))
    assert not finding.ok
    assert finding.says == f"{STORE}: {problem}"


@pytest.mark.parametrize("checks", [expect({}, count=0), never({}), {"unchanged": STORE}])
def test_a_store_that_is_not_there_is_no_evidence(checks: dict[str, Any]) -> None:
    finding = one(checks, evidence(Path("unused"), None))
    assert not finding.ok
    assert finding.says == f"{STORE}: does not exist or holds no JSON."


def test_an_emptied_store_still_knows_its_fields() -> None:
    """The last record was cancelled: 'never' looks at the fields that were there before."""
    assert one(never({"name": "{name}"}), after([], before=BOOKED)).ok
    assert one(never({"anything": "x"}), after([], before=[])).ok
    assert not one(expect({"name": "{name}"}), after([])).ok


def test_unchanged_sees_new_changed_and_lost_records() -> None:
    assert one({"unchanged": STORE}, after(BOOKED, before=BOOKED)).ok
    added = one({"unchanged": STORE}, after(BOOKED, before=BOOKED[:1]))
    assert not added.ok
    assert added.says == f"{STORE} should be as it was: 1 new or changed, 0 gone"
    assert "John Miller" in added.quote
    moved = [{**BOOKED[0], "time": "16:00"}, BOOKED[1]]
    assert one({"unchanged": STORE}, after(moved, before=BOOKED)).says.endswith("1 new or changed, 1 gone")


class TestStage:
    """Who is asked first about a record that is missing."""

    wanted = expect({"name": "{name}", "time": "15:00"})

    def call(self, tmp_path: Path, *, name: str, time: str, heard: int = 2, kept: list[object] | None = None):
        call = RecordedCall().turn("a cleaning", "Booked.", tool=("book", {"name": name, "time": time}, {})).ended()
        stores: dict[str, Any] = {"before": {STORE: []}, "after": {STORE: kept or []}}
        measures = Measures(entities=Rate(hits=heard, n=2))
        return evidence(tmp_path, call, facts=MARIA, measures=measures, **stores)

    def test_a_tool_that_was_asked_and_did_not_do_it(self, tmp_path: Path) -> None:
        finding = one(self.wanted, self.call(tmp_path, name="Maria Lopez", time="15:00"))
        assert (finding.ok, finding.stage) == (False, "tools")
        assert finding.at_ms is not None

    def test_an_ear_that_got_the_name_wrong(self, tmp_path: Path) -> None:
        finding = one(self.wanted, self.call(tmp_path, name="Mario Lopez", time="15:00", heard=1))
        assert (finding.ok, finding.stage) == (False, "ear")

    def test_a_brain_that_heard_well_and_asked_for_something_else(self, tmp_path: Path) -> None:
        finding = one(self.wanted, self.call(tmp_path, name="Maria Lopez", time="16:00"))
        assert (finding.ok, finding.stage) == (False, "brain")


@pytest.mark.parametrize("file", ["/etc/x.json", "../x.json", "data/../../x.json", "appointments.json", "data/x.txt"])
def test_only_files_of_the_tools_can_be_named(file: str) -> None:
    with pytest.raises(ValueError, match=r"is no JSON file of the tools\. Write it as data/NAME\.json\."):
        Checks.model_validate({"unchanged": file})
