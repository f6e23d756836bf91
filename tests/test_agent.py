"""The agent file: what loads, what is refused and how the refusal reads."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from voicebot.agent import Agent, Brain, Turns, agent_schema, find_agent
from voicebot.errors import BadInput

TOOLS = """
import missing_package
from elsewhere import imported

raise SystemExit("loading an agent runs its tools")

def book(name: str, day: str, phone: str | None = None) -> dict: "Book."
async def find(day: str) -> dict: "Find."
def _private(): ...
"""

FLOW = """
flow:
  slots:
    name: {type: name, ask: Who?}
    day: {type: date, ask: When?}
  checks:
    free: {tool: find, with: [day]}
  goals:
    book:
      title: book
      examples: [book]
      ask: [name, day]
      check: [free]
      confirm: "{name} on {day}?"
      do: {tool: book, with: [name, day]}
"""

GOOD = f"""\
name: Ava
greeting: Hello.
voice:
  turns: {{end_of_turn: silence, idle: 500ms}}
brain:
  tools: [tools.py:book, tools.py:find]
  knowledge: knowledge/*.md
handoff: {{to: front desk, say: One moment.}}
{FLOW}"""

WITH_LLM = "name: Ava\nbrain: {llm: openai/gpt-4.1-mini, prompt: You are Ava.}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a project with one agent, two tools that cannot be imported, and knowledge."""
    for folder in ("agents", "knowledge"):
        (tmp_path / folder).mkdir()
    (tmp_path / "agents" / "ava.yaml").write_text(GOOD)
    (tmp_path / "tools.py").write_text(TOOLS)
    (tmp_path / "knowledge" / "prices.md").write_text("# Prices\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(project: Path, text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        Agent.parse(text, project, "agents/ava.yaml")
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_loads_what_the_file_says(project: Path) -> None:
    agent = Agent.load("ava")
    assert (agent.name, agent.language, agent.greeting) == ("Ava", "en", "Hello.")
    assert agent.voice.turns == Turns(end_of_turn="silence", barge_in=True, idle=0.5)
    assert [tool.python for tool in agent.brain.tools] == ["tools.py:book", "tools.py:find"]
    assert agent.brain.knowledge == ["knowledge/*.md"]
    assert [handoff.to for handoff in agent.handoff] == ["front desk"]
    assert agent.flow is not None
    assert agent.flow.goals["book"].do is not None


def test_knows_its_file_its_project_and_its_bytes(project: Path) -> None:
    agent = Agent.load(project / "agents" / "ava.yaml")
    assert agent.path == project / "agents" / "ava.yaml"
    assert agent.root == project
    assert agent.source == GOOD
    assert agent.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


def test_paths_of_a_file_outside_an_agents_folder_are_relative_to_its_own(project: Path) -> None:
    (project / "lone.yaml").write_text(GOOD)
    assert Agent.load("lone.yaml").root == project


def test_defaults_pick_what_runs_here(project: Path) -> None:
    agent = Agent.parse(WITH_LLM)
    assert (agent.voice.stt, agent.voice.tts) == (["auto"], ["auto"])
    assert agent.voice.turns == Turns(end_of_turn="smart", barge_in=True, idle=8.0)
    assert agent.greeting is None
    assert agent.flow is None


def test_one_name_stands_for_a_list_of_one(project: Path) -> None:
    assert Agent.parse("voice: {stt: sphinx}\n" + WITH_LLM).voice.stt == ["sphinx"]


@pytest.mark.parametrize(("written", "idle_s"), [("8s", 8.0), ("1500ms", 1.5), ("2m", 120.0), ("3", 3.0)])
def test_durations_carry_their_unit(written: str, idle_s: float) -> None:
    assert Agent.parse(f"voice: {{turns: {{idle: {written}}}}}\n" + WITH_LLM).voice.turns.idle == idle_s


def test_an_agent_built_in_code_can_be_written_down_and_read_again() -> None:
    agent = Agent(name="Ava", brain=Brain(llm=["openai/gpt-4.1-mini"], prompt="You are Ava."))
    again = Agent.parse(agent.source)
    assert again.model_dump() == agent.model_dump()
    assert again.sha256 == agent.sha256
    assert agent.path is None


def test_an_agent_cannot_be_changed(project: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        Agent.load("ava").name = "Eve"  # type: ignore[misc]  # what the test is about


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (WITH_LLM + "langauge: en", "3:1 unknown key 'langauge'. Did you mean 'language'?"),
        ("brain: {llm: openai/x, promt: y}\nname: a", "1:24 unknown key 'promt' in 'brain'. Did you mean 'prompt'?"),
        (WITH_LLM + "language: english", "3:11 'english' is no language code such as 'en' or 'en-US'."),
        (WITH_LLM + "language: EN", "3:11 'EN' is no language code such as 'en' or 'en-US'. Did you mean 'en'?"),
        (WITH_LLM + "greeting: ''", "3:11 'greeting' must have at least 1 character."),
        (WITH_LLM + "voice: {stt: sphynx}", "3:14 unknown provider 'sphynx'. Did you mean 'sphinx'?"),
        (WITH_LLM + "voice:\n  tts: [espeak, espaek/en]", "4:17 unknown provider 'espaek'. Did you mean 'espeak'?"),
        (WITH_LLM + "voice: {stt: [sphinx, sphinx]}", "3:14 'sphinx' is listed twice."),
        (WITH_LLM + "voice: {stt: 5}", "3:14 'stt' must be a list, not '5'."),
        (WITH_LLM + "voice: {turns: {idle: 8 x}}", "3:23 '8 x' is no duration. Write it with a unit: 500ms, 8s or 2m."),
        (WITH_LLM + "voice: {turns: {idle: 0s}}", "3:23 'idle' must be greater than 0."),
        (WITH_LLM + "handoff: Bob", "3:10 'handoff' must be 'key: value' lines, not 'Bob'."),
        ("name: Ava", "1:1 nothing answers the caller. Add a 'flow', or 'llm' and 'prompt' in 'brain'."),
        ("name: Ava\nbrain: {llm: openai/x}", "2:8 a language model needs a prompt. Add 'prompt' to 'brain'."),
        (
            "name: Ava\nbrain: {llm: openai/x, prompt: y, base_url: localhost}",
            "2:45 'localhost' is no web address. Write it with http:// or https://.",
        ),
        (
            "name: Ava\nbrain: {llm: openai/x, prompt: y, temperature: 3}",
            "2:48 'temperature' must be less than or equal to 2.",
        ),
    ],
)
def test_a_mistake_is_one_line_with_place_and_remedy(project: Path, text: str, line: str) -> None:
    assert refusal(project, text) == [f"agents/ava.yaml:{line}"]


@pytest.mark.parametrize(
    ("tools", "line"),
    [
        ("book", "2:42 'book' names no tool. Write FILE.py:FUNCTION, for example tools.py:book."),
        ("tools.py", "2:42 'tools.py' names no tool. Write FILE.py:FUNCTION, for example tools.py:book."),
        ("tool.py:book", "2:42 tool.py does not exist. Did you mean 'tools.py'?"),
        ("tools.py:bok", "2:42 no function 'bok' in tools.py. Did you mean 'book'?"),
        ("tools.py:_privat", "2:42 no function '_privat' in tools.py. Known: book, find."),
        ("broken.py:book", "2:42 broken.py:2 is not valid Python: '(' was never closed."),
        ("tools.py:end_call", "2:42 'end_call' is a built-in tool. Give the function in tools.py another name."),
        ("[tools.py:book, tools.py:book]", "2:42 'tools.py:book' is listed twice."),
        ("[tools.py:book, other.py:book]", "2:8 two tools are called 'book'. Give one of them another name."),
    ],
)
def test_a_tool_must_exist(project: Path, tools: str, line: str) -> None:
    (project / "broken.py").write_text("x = 1\ndef book(x\n")
    (project / "other.py").write_text("def book() -> None: ...\n")
    text = f"name: Ava\nbrain: {{llm: openai/x, prompt: y, tools: {tools}}}"
    assert refusal(project, text) == [f"agents/ava.yaml:{line}"]


def test_tools_are_found_without_running_their_file(project: Path) -> None:
    text = "name: Ava\nbrain: {llm: openai/x, prompt: y, tools: [tools.py:book, tools.py:find, tools.py:imported]}"
    assert len(Agent.parse(text, project).brain.tools) == 3


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("knowlege/*.md", "2:46 no file matches 'knowlege/*.md'. Did you mean 'knowledge'?"),
        ("knowledge/price.md", "2:46 no file matches 'knowledge/price.md'. Did you mean 'knowledge/prices.md'?"),
        ("/etc/hosts", "2:46 '/etc/hosts' must be relative to the project's folder."),
    ],
)
def test_knowledge_must_exist(project: Path, pattern: str, line: str) -> None:
    text = f"name: Ava\nbrain: {{llm: openai/x, prompt: y, knowledge: {pattern}}}"
    assert refusal(project, text) == [f"agents/ava.yaml:{line}"]


@pytest.mark.parametrize(
    ("wrong", "right", "line"),
    [
        ("{tool: fnd,", "{tool: find,", "15:18 unknown tool 'fnd'. Did you mean 'find'?"),
        ("{tool: book, with: [name]}", "{tool: book, with: [name, day]}", "23:30 tools.py:book needs 'day' too."),
        (
            "{tool: find, with: [name]}",
            "{tool: find, with: [day]}",
            "15:30 tools.py:find has no parameter 'name'. Known: day.",
        ),
    ],
)
def test_a_flow_calls_tools_as_they_are_written(project: Path, wrong: str, right: str, line: str) -> None:
    assert right in GOOD
    assert refusal(project, GOOD.replace(right, wrong)) == [f"agents/ava.yaml:{line}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(project: Path) -> None:
    text = "nmae: Ava\nvoice: {stt: sphynx}\nbrain: {llm: openai/x, prompt: y, tools: tools.py:bok}\n"
    assert [line.split()[0] for line in refusal(project, text)] == [
        "agents/ava.yaml:1:1",
        "agents/ava.yaml:2:14",
        "agents/ava.yaml:3:42",
    ]


def test_the_only_agent_of_a_project_needs_no_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_agent() == project / "agents" / "ava.yaml"
    monkeypatch.chdir(project / "knowledge")
    assert find_agent() == project / "agents" / "ava.yaml", "found from a folder of the project too"
    assert find_agent("ava") == project / "agents" / "ava.yaml"


def test_a_folder_stands_for_the_project_in_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    assert Agent.load(project.name).name == "Ava"


def test_which_of_several_agents_must_be_said(project: Path) -> None:
    (project / "agents" / "bob.yaml").write_text(GOOD)
    with pytest.raises(BadInput, match=r"^which agent\? Choose one with --agent: ava, bob\.$"):
        find_agent()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("eva", "no agent 'eva' in agents. Did you mean 'ava'?"),
        ("agents/av.yaml", "agents/av.yaml does not exist. Did you mean 'ava.yaml'?"),
        ("nowhere/ava.yaml", "nowhere/ava.yaml does not exist."),
    ],
)
def test_an_agent_that_is_not_there_gets_a_suggestion(project: Path, name: str, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        Agent.load(name)
    assert str(caught.value) == sentence


def test_a_folder_without_agents_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (None, "ava"):
        with pytest.raises(BadInput, match="voicebot new"):
            find_agent(name)


def test_the_schema_describes_every_setting() -> None:
    schema = agent_schema()
    objects = {"Agent": schema, **schema["$defs"]}
    bare = [
        f"{name}.{key}"
        for name in ("Agent", "Voice", "Turns", "Brain", "Handoff")
        for key, value in objects[name]["properties"].items()
        if not (value.get("description") or "$ref" in value)  # a part is described where it is defined
    ]
    assert bare == []
    assert schema["additionalProperties"] is False
    assert {"type": "string"} in schema["$defs"]["Voice"]["properties"]["stt"]["anyOf"], "one name is allowed"


def test_an_agent_loads_without_the_engine_and_quickly(project: Path) -> None:
    code = """
import sys, time
from voicebot.agent import Agent
Agent.load("ava")
began_s = time.perf_counter()
Agent.load("ava")
print(time.perf_counter() - began_s)
print([name for name in ("pipecat", "langgraph", "langchain_core", "numpy", "pocketsphinx") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    elapsed_s, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert float(elapsed_s) < 0.05


def test_a_large_agent_file_loads_in_a_moment(project: Path) -> None:
    text = GOOD.replace("      examples: [book]", "      examples:\n" + "        - book it\n" * 2000)
    began_s = time.perf_counter()
    Agent.parse(text, project)
    assert time.perf_counter() - began_s < 1.0
