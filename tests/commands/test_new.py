"""`voicebot new`: a project that is complete, valid and appears whole or not at all."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from voicebot import paths, project, templates
from voicebot.agent import Agent, agent_schema
from voicebot.commands.new import new
from voicebot.errors import BadInput
from voicebot.evals import checks, scenario, suite
from voicebot.evals.trial import Trial

TEMPLATES = sorted(templates.summaries())

app = typer.Typer()
app.command()(new)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def refusal(*words: str) -> str:
    error = run(*words).exception
    assert isinstance(error, BadInput)
    return str(error)


@pytest.fixture(params=TEMPLATES)
def made(request: pytest.FixtureRequest, here: Path) -> Path:
    """A project of every template."""
    assert run("front-desk", "--template", request.param).exit_code == 0
    return here / "front-desk"


def test_there_are_three_templates() -> None:
    assert TEMPLATES == ["blank", "dental", "orders"]


def test_a_new_project_is_complete(made: Path) -> None:
    for path in ("requirements.txt", "tools.py", ".env.example", ".gitignore", ".github/workflows/voice.yml"):
        assert (made / path).is_file(), path
    for folder in ("agents", "knowledge", "personas", "evals", "data"):
        assert any((made / folder).iterdir()), folder
    left = [path for path in made.rglob("*") if path.is_file() and "{{" in path.read_text()]
    assert left == [], "placeholders are filled"
    assert (made / "README.md").read_text().startswith("# front-desk\n")


def test_its_agent_loads(made: Path) -> None:
    agent = Agent.load(made)
    assert agent.root == made
    assert agent.greeting


def test_its_agent_needs_no_key(made: Path) -> None:
    assert Agent.load(made).flow is not None


def test_its_agent_file_is_completed_by_editors(made: Path) -> None:
    for path in paths.agent_files(made):
        assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=agent.schema.json"
    assert json.loads((made / "agents" / "agent.schema.json").read_text()) == agent_schema()


def test_its_tools_are_valid_python(made: Path) -> None:
    ast.parse((made / "tools.py").read_text())


def test_its_personas_and_scenarios_load_and_name_each_other(made: Path) -> None:
    personas = {path.stem for path in paths.yaml_files(paths.personas_dir(made))}
    scenarios = {path.stem: scenario.load(path) for path in paths.yaml_files(paths.evals_dir(made))}
    agents = {path.stem for path in paths.agent_files(made)}
    assert personas
    assert {each.agent for each in scenarios.values()} <= agents
    assert personas <= {name for each in scenarios.values() for name in each.persona}, "each persona is checked"


def test_its_suites_plan_calls_with_everybody(made: Path) -> None:
    gate, nightly = (suite.find(name, made).plan(made) for name in ("ci", "full"))
    assert {call.case.scenario for call in gate} == set(scenario.files(made)), "the gate leaves no scenario out"
    assert {call.case.id for call in gate} < {call.case.id for call in nightly}
    assert len({call.case.persona for call in nightly}) >= 20
    assert all(call.at is not None for call in nightly), "every scenario is the same on every day"


def test_its_stores_hold_lists_of_records(made: Path) -> None:
    for path in paths.data_dir(made).glob("*.json"):
        assert isinstance(json.loads(path.read_text()), list)


def test_its_scenarios_fail_before_any_call(made: Path) -> None:
    """A check that passes on an untouched project proves nothing."""
    for call in suite.find("ci", made).plan(made):
        facts = {fact: known.value for fact, known in call.persona.playing(call.role, made).facts.items()}
        untouched = Trial(case=call.case, before=call.data, after=call.data, facts=facts)
        findings = checks.run(call.scenario.checks, checks.Evidence(untouched))
        assert [finding for finding in findings if not finding.ok], call.case.id


def test_json_says_what_was_made(here: Path) -> None:
    said = json.loads(run("desk", "-t", "blank", "--json").stdout)
    assert (said["path"], said["template"]) == (str(here / "desk"), "blank")
    made = {path.relative_to(here / "desk").as_posix() for path in (here / "desk").rglob("*") if path.is_file()}
    assert set(said["files"]) == made


def test_quiet_prints_the_folder_alone() -> None:
    assert run("desk", "--quiet").stdout == "desk\n"


def test_a_person_reads_what_lies_where_and_what_comes_next() -> None:
    said = run("my [red]/desk").stdout
    assert said.startswith("my [red]/desk/\n")
    assert "  cd 'my [red]/desk'\n" in said
    assert "  voicebot demo" in said
    for entry in ("agents/", "tools.py", "knowledge/", "personas/", "evals/", "data/", ".env.example", ".github/"):
        assert f"\n  {entry} " in said


def test_the_name_may_be_a_path(here: Path) -> None:
    assert run("deep/er/desk").exit_code == 0
    assert (here / "deep" / "er" / "desk" / "README.md").read_text().startswith("# desk\n")


def test_an_empty_folder_is_filled(here: Path) -> None:
    (here / "desk").mkdir()
    assert run("desk").exit_code == 0
    assert (here / "desk" / "README.md").is_file()


def test_what_exists_is_never_touched(here: Path) -> None:
    (here / "desk").mkdir()
    (here / "desk" / "mine.txt").write_text("mine")
    (here / "file").write_text("mine")
    (here / "link").symlink_to(here / "nowhere")
    assert refusal("desk") == "desk exists and is not empty. Choose another name."
    assert refusal("file") == "file exists and is not a folder. Choose another name."
    assert refusal("link") == "link exists and is not a folder. Choose another name."
    assert [path.name for path in (here / "desk").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", [".", "..", "/", ".hidden", "a b", "a*", "", "desk?"])
def test_a_bad_name_is_refused(name: str, here: Path) -> None:
    assert "name" in refusal(name)
    assert list(here.iterdir()) == []


def test_a_misspelt_template_gets_a_suggestion(here: Path) -> None:
    assert refusal("desk", "--template", "dentl") == "no template 'dentl'. Did you mean 'dental'?"
    assert list(here.iterdir()) == []


def test_nothing_is_left_behind_when_writing_fails(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(BadInput, match=r"^cannot make desk: No space left on device\.$"):
        project.create(Path("desk"), "blank")
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_made_says_so(here: Path) -> None:
    (here / "file").write_text("")
    assert refusal("file/desk").startswith("cannot make file/desk: ")


def test_lists_the_templates() -> None:
    assert json.loads(run("--list", "--json").stdout) == templates.summaries()
    assert [line.split()[0] for line in run("--list").stdout.splitlines()] == TEMPLATES


def test_prints_the_schema_for_editors() -> None:
    assert json.loads(run("--schema").stdout) == agent_schema()


def test_a_project_needs_a_name() -> None:
    assert refusal() == "the project needs a name, for example: voicebot new front-desk"
