from __future__ import annotations

import pickle
import re
from datetime import datetime
from pathlib import Path

import pytest

from voicebot import yamlfile
from voicebot.errors import BadInput
from voicebot.evals import scenario, suite
from voicebot.personas.kinds import Rules, Script

WHOLE = """\
name: The appointment is booked
goal: Book a cleaning.
agent: ava
domain: dental
facts:
  treatment: cleaning
  day: {value: thursday, say: [thursday, this thursday]}
  name: "{caller}"
persona: [maria, hurried]
caller: rules
line: phone
at: 2027-03-01 09:30
data:
  data/appointments.json: [{id: 1, name: "{name}"}]
checks:
  expect: [{file: data/appointments.json, where: {name: "{name}"}, count: 1}]
  latency: {v2v_p95: 1500ms}
"""
LEAST = "name: x\ngoal: y\nagent: ava\npersona: maria\nchecks: {ended: caller_hung_up}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "evals" / "books.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_whole_scenario_is_read(tmp_path: Path) -> None:
    read = scenario.load(written(tmp_path, WHOLE))
    assert (read.id, read.persona, read.root) == ("books", ["maria", "hurried"], tmp_path)
    assert read.at == datetime(2027, 3, 1, 9, 30)
    assert read.line is not None
    assert read.line.rate_hz == 8000
    assert isinstance(read.caller, Rules)
    assert read.checks.latency is not None
    assert read.checks.latency.v2v_p95 == 1.5
    assert (read.role.domain, sorted(read.role.facts)) == ("dental", ["day", "name", "treatment"])
    assert sorted(set(read.checks.facts())) == ["name"]


def test_what_is_not_said_is_left_to_the_persona(tmp_path: Path) -> None:
    read = scenario.load(written(tmp_path, LEAST))
    assert (read.role.domain, read.role.facts, read.line, read.at, read.channel) == ("", {}, None, None, "audio")


def test_a_script_is_a_kind_of_caller(tmp_path: Path) -> None:
    read = scenario.load(written(tmp_path, LEAST + "caller: {turns: [{say: hello}]}\n"))
    assert isinstance(read.caller, Script)


def test_it_reaches_other_processes_whole(tmp_path: Path) -> None:
    read = scenario.load(written(tmp_path, WHOLE))
    again = pickle.loads(pickle.dumps(read))
    assert again == read
    assert (again.id, again.role.place("facts")) == ("books", read.role.place("facts"))


@pytest.mark.parametrize(
    ("line", "where", "problem"),
    [
        ("checkz: {}", "6:1", "unknown key 'checkz'. Did you mean 'checks'?"),
        ("expect: []", "6:9", "'expect' is a check. Write it under 'checks:'."),
        ("line: fone", "6:7", "no line 'fone'. Did you mean 'phone'?"),
        ("at: soon", "6:5", "'at' must be a valid datetime or date"),
        ("channel: fax", "6:10", "'channel' cannot be 'fax'. Known: audio, phone, text."),
        ("data: {notes.json: []}", "6:20", "'notes.json' is no JSON file of the tools. Write it as data/NAME.json."),
        ("data: {data/x.json: 3}", "6:21", "must be"),
        ("facts: {day: [1]}", "6:14", "must be 'key: value' lines, not a list."),
        ("caller: robot", "6:9", "'kind' cannot be 'robot'."),
    ],
)
def test_a_wrong_key_is_told_with_its_place(tmp_path: Path, line: str, where: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        scenario.load(written(tmp_path, LEAST + line + "\n"))
    assert any(f"books.yaml:{where} " in told and problem in told for told in str(caught.value).splitlines()), (
        caught.value
    )


@pytest.mark.parametrize(
    ("checks", "where", "problem"),
    [
        ("{}", "5:9", "nothing is checked. Add 'expect', 'said', 'ended' or another check."),
        ("{ended: hung_up}", "5:17", "'ended' cannot be 'hung_up'. Did you mean 'agent_hung_up'?"),
        ("{expect: [{file: /etc/x.json}]}", "5:26", "'/etc/x.json' is no JSON file of the tools."),
        ("{expct: []}", "5:10", "unknown key 'expct' in 'checks'. Did you mean 'expect'?"),
        ("{said: '(('}", "5:16", "is not a regular expression"),
        ("{latency: {v2v_p95: 800}}", "", ""),
        ("{latency: {v2v_p95: fast}}", "5:29", "'fast' is no duration. Write it with a unit: 500ms, 8s or 2m."),
        ("{latency: {v2v_p59: 1s}}", "5:20", "unknown key 'v2v_p59' in 'latency'."),
        ("{turns: {yield_rate: 2}}", "5:30", "must be less than or equal to 1."),
        ("{judge: {llm: opnai/x, claims: [a]}}", "5:23", "unknown provider 'opnai'. Did you mean 'openai'?"),
        ("{guardrails: [{rail: pi}]}", "5:30", "'rail' cannot be 'pi'."),
        ("{verify_before: [{say: x}]}", "5:26", "there is no proof. Add 'facts' or 'tool'."),
    ],
)
def test_a_wrong_check_is_told_with_its_place(tmp_path: Path, checks: str, where: str, problem: str) -> None:
    path = written(tmp_path, LEAST.replace("{ended: caller_hung_up}", checks))
    if not where:
        assert scenario.load(path)  # bare numbers are seconds
        return
    with pytest.raises(BadInput) as caught:
        scenario.load(path)
    assert any(f"books.yaml:{where} " in told and problem in told for told in str(caught.value).splitlines()), (
        caught.value
    )


def test_scenarios_are_found_by_name(tmp_path: Path) -> None:
    written(tmp_path, LEAST)
    assert scenario.find("books", tmp_path).name == "x"
    with pytest.raises(BadInput, match=r"no scenario 'bocks' in .*evals\. Did you mean 'books'\?"):
        scenario.find("bocks", tmp_path)


DOCS = Path(__file__).parents[2] / "docs" / "evals.md"


def test_what_the_page_about_scenarios_shows_is_right(tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(shown) == 4
    for text in shown:
        if text.startswith("checks:"):
            scenario.load(written(tmp_path, LEAST.partition("checks:")[0] + text))
        elif "goal:" in text:
            scenario.load(written(tmp_path, text))
        else:
            suite.read(yamlfile.parse(text))
