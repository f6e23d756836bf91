from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from voicebot import project
from voicebot.errors import BadInput
from voicebot.evals import suite
from voicebot.evals.suite import Planned
from voicebot.personas.persona import library

SCENARIO = """\
name: {name}
goal: y
agent: ava
domain: dental
facts: {{treatment: cleaning, day: thursday, time: "15:00", name: "{{caller}}"}}
persona: [maria, human]
data: {{data/appointments.json: [{{id: 1, name: "{{name}}", time: "{{time}}"}}]}}
checks: {{never: [{{file: data/appointments.json, where: {{name: "{{name}}"}}}}]}}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dental practice with three scenarios of its own."""
    folder = tmp_path_factory.mktemp("project") / "clinic"
    project.create(folder, "dental")
    for path in [*(folder / "evals").glob("*.yaml"), *(folder / "evals" / "suites").glob("*.yaml")]:
        path.unlink()
    for name in ("one", "other", "third"):
        (folder / "evals" / f"{name}.yaml").write_text(SCENARIO.format(name=name))
    (folder / "evals" / "typed.yaml").write_text(SCENARIO.format(name="typed") + "channel: text\nline: phone\n")
    return folder


@pytest.fixture
def plan(root: Path):
    """Plans the suite in a YAML text."""
    folder = root / "evals" / "suites"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.yaml"):
        path.unlink()

    def of(text: str, name: str = "ci", runs: int | None = None, seed: int | None = None) -> list[Planned]:
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{text}\n")
        return suite.find(name, root).plan(root, runs=runs, seed=seed)

    return of


def ids(calls: list[Planned]) -> list[str]:
    return [call.case.id for call in calls]


def test_a_suite_is_a_matrix_in_an_order_that_never_changes(plan) -> None:
    text = "scenarios: [third, o*]\nlines: [own, phone]\nruns: 2\nseed: 5"
    assert ids(plan(text)) == [
        f"{scenario}/{persona}/{line}#{seed}"
        for scenario in ("third", "one", "other")
        for persona in ("maria", "human")
        for line in ("clean", "phone")
        for seed in (5, 6)
    ]
    assert ids(plan(text)) == ids(plan(text))


def test_runs_and_seed_can_be_given_from_outside(plan) -> None:
    text = "scenarios: one\npersonas: maria\nruns: 2\nseed: 5"
    assert ids(plan(text, runs=1, seed=0)) == ["one/maria/clean#0"]
    assert ids(plan(text, runs=3)) == [f"one/maria/clean#{seed}" for seed in (5, 6, 7)]


def test_personas_replace_and_also_adds(plan) -> None:
    assert ids(plan("scenarios: one\npersonas: [brisk]")) == ["one/brisk/clean#0"]
    assert ids(plan("scenarios: one\nalso: [brisk, maria]")) == [
        f"one/{name}/clean#0" for name in ("maria", "human", "brisk")
    ]


def test_a_pattern_leaves_out_the_hard_ones_and_a_name_does_not(plan) -> None:
    everybody = {call.case.persona for call in plan('scenarios: one\npersonas: "library/*"')}
    assert len(everybody) >= 20
    assert everybody < set(library())
    hard = sorted(set(library()) - everybody)[0]
    assert [call.case.persona for call in plan(f"scenarios: one\npersonas: {hard}")] == [hard]
    assert "maria" in {call.case.persona for call in plan('scenarios: one\npersonas: "*"')}


def test_lines_are_named_defined_or_the_callers_own(plan) -> None:
    calls = plan("scenarios: one\npersonas: [maria, landline]\nlines: [own, {bad: {loss: {percent: 9}}}]")
    assert [call.case.line for call in calls] == ["clean", "bad", "phone", "bad"]
    assert [call.line.rate_hz for call in calls] == [16000, 16000, 8000, 16000]
    assert calls[1].line.loss is not None


def test_a_typed_call_has_one_line(plan) -> None:
    (call,) = plan("scenarios: typed\npersonas: maria\nlines: [own, phone, street]")
    assert (call.case.line, call.case.channel) == ("typed", "text")


def test_included_suites_come_first_with_these_checks_and_each_call_once(plan) -> None:
    plan("scenarios: one\npersonas: maria\nchecks: {most_calls: 5}", name="base")
    calls = plan("include: base\nscenarios: [other, one]\npersonas: maria\nchecks: {most_calls: 9, confusions: 1}")
    assert ids(calls) == ["one/maria/clean#0", "other/maria/clean#0"]
    assert [call.scenario.checks.most_calls for call in calls] == [5, 9]
    assert [call.scenario.checks.confusions for call in calls] == [1, 1]
    assert all(call.scenario.checks.never for call in calls)


def test_the_scenarios_own_figure_counts_and_lists_add_up(plan) -> None:
    (call,) = plan("scenarios: one\npersonas: maria\nchecks: {never_said: [x], never: [{file: data/x.json}]}")
    assert call.scenario.checks.never_said == ["x"]
    assert [each.file for each in call.scenario.checks.never] == ["data/appointments.json", "data/x.json"]


def test_combinations_can_be_left_out(plan) -> None:
    text = "scenarios: [one, third]\nexclude: [{scenario: one, persona: hum*}, {line: clean, scenario: third}]"
    assert ids(plan(text)) == ["one/maria/clean#0"]


def test_the_data_holds_the_facts_of_whoever_calls(plan) -> None:
    calls = plan("scenarios: one\npersonas: [maria, brisk]")
    names = [call.data["data/appointments.json"][0]["name"] for call in calls]
    assert names == ["Maria Davis", "James Carter"]


def test_a_call_is_prepared_in_a_copy(plan, root: Path) -> None:
    (call,) = plan("scenarios: one\npersonas: maria")
    before = (root / "data" / "appointments.json").read_text()
    with call.prepared() as agent:
        assert agent.name == "ava.yaml"
        kept = json.loads((agent.parent.parent / "data" / "appointments.json").read_text())
        assert kept == [{"id": 1, "name": "Maria Davis", "time": "15:00"}]
    assert not agent.exists()
    assert (root / "data" / "appointments.json").read_text() == before


def test_a_planned_call_reaches_another_process_whole(plan) -> None:
    for call in plan("scenarios: one"):
        again = pickle.loads(pickle.dumps(call))
        assert again == call
        assert again.persona.playing(again.role, again.root).facts == call.persona.playing(call.role, call.root).facts


def test_a_project_without_suites_has_the_one_of_everything(root: Path, plan) -> None:
    calls = suite.find("all", root).plan(root)
    assert ids(calls)[:2] == ["one/maria/clean#0", "one/human/clean#0"]
    assert {call.case.scenario for call in calls} == {"one", "other", "third", "typed"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenarios: [one, thrid]", "ci.yaml:2:18 no scenario 'thrid'. Did you mean 'third'?"),
        ("scenarios: [x*]", "ci.yaml:2:13 no scenario is like 'x*'."),
        ("scenarios: one\npersonas: [mary]", "ci.yaml:3:12 no persona 'mary'. Did you mean 'maria'?"),
        ("scenarios: one\nalso: ['library/zz*']", "ci.yaml:3:8 no persona is like 'library/zz*'."),
        ("scenarios: one\nlines: [own, fone]", "ci.yaml:3:14 no line 'fone'. Did you mean 'phone'?"),
        ("scenarios: one\nlines: [{bad: {los: 3}}]", "ci.yaml:3:16 unknown key 'los' in 'bad'. Did you mean 'loss'?"),
        ("include: [bse]", "ci.yaml:2:11 no suite 'bse'."),
        ("include: [ci]", "the suite 'ci' includes itself: ci > ci."),
        ("about: x", "there is nothing to call. Add 'scenarios' or 'include'."),
        ("scenario: one", "ci.yaml:2:1 unknown key 'scenario'. Did you mean 'scenarios'?"),
        ("scenarios: one\nruns: 0", "ci.yaml:3:7 'runs' must be greater than or equal to 1."),
        ("scenarios: one\nexclude: [{}]", "this leaves out everything."),
        ("scenarios: one\nexclude: [{scenario: one}]", "the suite 'ci' has no call left to make."),
        ("scenarios: one\nchecks: {said: '{nmae}'}", "'{nmae}': the caller 'maria' has no such fact."),
        (
            "scenarios: one\nchecks: {not_called: cancle}",
            "the agent 'ava' has no tool 'cancle'. Did you mean 'cancel'?",
        ),
        ("scenarios: one\nchecks: {verify_before: [{call: bok, facts: name}]}", "has no tool 'bok'."),
    ],
)
def test_what_is_wrong_is_told_with_its_place(plan, text: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        plan(text)
    assert problem in str(caught.value)


def test_a_persona_that_cannot_play_a_role_is_told_before_any_call(plan, root: Path) -> None:
    lacking = SCENARIO.format(name="x").replace('name: "{{caller}}"', "").replace(', name: "{caller}"', "")
    (root / "evals" / "nameless.yaml").write_text(lacking)
    try:
        with pytest.raises(BadInput, match=r"nameless\.yaml:8:1 '\{name\}': the caller 'maria' has no such fact"):
            plan("scenarios: nameless")
    finally:
        (root / "evals" / "nameless.yaml").unlink()


def test_an_unknown_suite_is_told_with_those_that_exist(root: Path, plan) -> None:
    plan("scenarios: one", name="nightly")
    with pytest.raises(BadInput, match=r"no suite 'nigthly' in .*suites\. Did you mean 'nightly'\?"):
        suite.find("nigthly", root)
