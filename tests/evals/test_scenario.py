"""Scenarios: the end state after a call, checked in the tools' own records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicebot.errors import BadInput
from voicebot.evals.scenario import Scenario, check, find, load

MARIA = {"name": "Maria Lopez", "treatment": "cleaning", "day": "thursday"}
BOOKED = [
    {"name": "Maria Lopez", "treatment": "cleaning", "day": "2026-12-03", "time": "15:00", "paid": False, "id": 7},
    {"name": "John Miller", "treatment": "filling", "day": "2026-12-02", "time": "11:00", "paid": True, "id": 8},
]


def scenario(**checks: object) -> Scenario:
    return Scenario.model_validate({"name": "x", "goal": "y", "agent": "ava", "persona": "maria", **checks})


def expecting(where: dict[str, object], count: int | None = None) -> Scenario:
    return scenario(expect=[{"file": "data/appointments.json", "where": where, "count": count}])


def forbidding(where: dict[str, object]) -> Scenario:
    return scenario(never=[{"file": "data/appointments.json", "where": where}])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    keep(tmp_path, BOOKED)
    return tmp_path


def keep(root: Path, records: object) -> None:
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "appointments.json").write_text(json.dumps(records))


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
def test_passes_when_a_record_is_there(root: Path, where: dict[str, object]) -> None:
    assert check(expecting(where), root, facts=MARIA) == []


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ({"name": "Mario Lopez"}, "name Mario Lopez"),
        ({"name": "{name}", "treatment": "filling"}, "name Maria Lopez, treatment filling"),
        ({"day": "friday"}, "day friday"),
        ({"id": "7"}, "id 7"),
        ({"paid": 0}, "paid 0"),
    ],
)
def test_says_what_is_missing(root: Path, where: dict[str, object], fields: str) -> None:
    assert check(expecting(where), root, facts=MARIA) == [
        f"data/appointments.json: expected at least 1 of 2 records with {fields}, found none"
    ]


def test_counts_exactly_when_asked(root: Path) -> None:
    assert check(expecting({"name": "{name}"}, count=1), root, facts=MARIA) == []
    keep(root, [BOOKED[0], BOOKED[0]])
    assert check(expecting({"name": "{name}"}, count=1), root, facts=MARIA) == [
        "data/appointments.json: expected 1 of 2 records with name Maria Lopez, found 2"
    ]


def test_says_what_should_not_be_there(root: Path) -> None:
    assert check(forbidding({"name": "Emma Wilson"}), root) == []
    assert check(forbidding({"name": "John Miller"}), root) == [
        "data/appointments.json: expected no of 2 records with name John Miller, found 1"
    ]


def test_every_failed_check_is_told(root: Path) -> None:
    both = scenario(
        expect=[{"file": "data/appointments.json", "where": {"name": "Emma Wilson"}}],
        never=[{"file": "data/appointments.json", "where": {"name": "John Miller"}}],
        ended=["caller_hung_up"],
    )
    assert len(check(both, root, ended="failed")) == 3


@pytest.mark.parametrize(
    ("ended", "problems"),
    [
        ("handed_over", []),
        ("failed", ["the call ended with 'failed', not with handed_over"]),
        (None, ["the call ended with 'nothing known', not with handed_over"]),
    ],
)
def test_how_the_call_ended_can_be_checked(root: Path, ended: str | None, problems: list[str]) -> None:
    assert check(scenario(ended="handed_over"), root, ended=ended) == problems


@pytest.mark.parametrize("make", [expecting, forbidding])
def test_what_cannot_be_looked_at_fails(root: Path, make: object) -> None:
    """Also where nothing is expected: a slip of the pen must not turn a check into one that always passes."""
    assert callable(make)
    store = root / "data" / "appointments.json"
    for where, problem in {
        "{nmae}": "the caller has no fact 'nmae'. Did you mean 'name'?",
    }.items():
        assert check(make({"name": where}), root, facts=MARIA) == [f"data/appointments.json: {problem}"]
    wrong = "data/appointments.json: no record has a field 'nmae'. Did you mean 'name'?"
    assert check(make({"nmae": "x"}), root) == [wrong]
    for content, problem in {"{}": "is not a list of objects.", "[1]": "is not a list of objects."}.items():
        store.write_text(content)
        assert check(make({"name": "x"}), root) == [f"data/appointments.json: {problem}"]
    store.write_text("[{")
    assert check(make({"name": "x"}), root)[0].startswith("data/appointments.json: cannot be read: ")
    store.unlink()
    assert check(make({"name": "x"}), root) == ["data/appointments.json: does not exist."]


def test_an_empty_store_holds_nothing(root: Path) -> None:
    keep(root, [])
    assert check(forbidding({"name": "x"}), root) == []
    assert len(check(expecting({"name": "x"}), root)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("expct: []", "unknown key 'expct'. Did you mean 'expect'?"),
        ("expect: [{file: /etc/x.json}]", "'/etc/x.json' is no JSON file of the project. Write it as data/NAME.json."),
        ("expect: [{file: ../x.json}]", "'../x.json' is no JSON file of the project. Write it as data/NAME.json."),
        ("ended: hung_up", "'ended' cannot be 'hung_up'. Did you mean 'agent_hung_up'?"),
        ("never: []", "nothing is checked. Add 'expect', 'never' or 'ended'."),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "books.yaml"
    path.write_text(f"name: x\ngoal: y\nagent: ava\npersona: maria\n{text}\n")
    with pytest.raises(BadInput) as caught:
        load(path)
    assert str(caught.value).endswith(line)


def test_scenarios_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "evals").mkdir()
    path = tmp_path / "evals" / "books.yaml"
    path.write_text("name: x\ngoal: y\nagent: ava\npersona: [maria, carl]\nended: caller_hung_up\n")
    assert find("books", tmp_path).persona == ["maria", "carl"]
    with pytest.raises(BadInput, match=r"no scenario 'bocks' in .*evals\. Did you mean 'books'\?"):
        find("bocks", tmp_path)
