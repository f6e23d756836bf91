"""Loading a user's graph: where it may be, what it may be, and what is said when it cannot be used."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.doubles.guests import guest, say
from tests.doubles.project import project, words
from voicebot.agent import Agent
from voicebot.brain.graphfile import GraphFile
from voicebot.errors import BadInput

GRAPH = """
from langchain_core.messages import AIMessage
from langgraph.graph import MessagesState, StateGraph

async def answer(state: MessagesState):
    return {"messages": [AIMessage(SAYS)]}

builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.set_entry_point("answer")
graph = builder.compile()
"""
FACTORIES = """
import asyncio
from contextlib import asynccontextmanager, contextmanager
from langchain_core.runnables import RunnableConfig
from langgraph_sdk.runtime import ServerRuntime

EVENTS = []
def plain(): return builder
def configured(config: RunnableConfig): EVENTS.append(config["configurable"]["thread_id"]); return graph
def by_name(config=None): EVENTS.append(config["configurable"]["thread_id"]); return graph
def at_runtime(runtime: ServerRuntime): EVENTS.append(type(runtime.store).__name__); return graph
async def later(): await asyncio.sleep(0); return graph
@asynccontextmanager
async def around():
    EVENTS.append(("enter", asyncio.current_task()))
    yield graph
    EVENTS.append(("leave", asyncio.current_task()))
async def generator():
    EVENTS.append("enter"); yield builder; EVENTS.append("leave")
@contextmanager
def plainly_around():
    EVENTS.append("enter"); yield graph; EVENTS.append("leave")
def greedy(config, model): return graph
def wrong(): return 7
def failing(): return 1 / 0
async def failing_later(): return 1 / 0
"""


@pytest.fixture
def package() -> Iterator[str]:
    """The name of a package that nobody has imported, and that is forgotten afterwards."""
    name, path = f"pkg_{uuid4().hex}", sys.path.copy()
    yield name
    sys.path[:] = path
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


def write(path: Path, *parts: str, says: str = "Hello.") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"SAYS = {says!r}\n" + "".join(parts))


async def speaks(reference: str, root: Path) -> str:
    async with guest(reference, root) as brain:
        return words(await say(brain, "hi"))


async def test_a_file_of_the_project(tmp_path: Path):
    write(tmp_path / "graph.py", GRAPH, says="A file.")
    assert await speaks("graph.py:graph", tmp_path) == "A file."
    assert await speaks("graph.py:builder", tmp_path) == "A file."


async def test_two_projects_may_both_have_a_graph_py(tmp_path: Path):
    for name in ("one", "two"):
        write(tmp_path / name / "graph.py", GRAPH, says=name)
    assert [await speaks("graph.py:graph", tmp_path / name) for name in ("one", "two")] == ["one", "two"]


@pytest.mark.parametrize("layout", ["", "src/"])
async def test_a_package_of_the_project_with_relative_imports(layout: str, tmp_path: Path, package: str):
    folder = tmp_path / layout / package
    write(folder / "__init__.py")
    write(folder / "words.py", says="A package.")
    (folder / "graph.py").write_text("from .words import SAYS\n" + GRAPH)
    assert await speaks(f"{package}.graph:graph", tmp_path) == "A package."
    assert await speaks(f"{layout}{package}/graph.py:graph", tmp_path) == "A package."


async def test_what_a_graph_imports_while_it_runs_is_found(tmp_path: Path, package: str):
    write(tmp_path / package / "__init__.py", says="Later.")
    late = GRAPH.replace("AIMessage(SAYS)", f"AIMessage(__import__('{package}').SAYS)")
    write(tmp_path / "graph.py", late)
    assert await speaks("graph.py:graph", tmp_path) == "Later."


async def test_langgraph_json(tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SOME_SETTING", raising=False)
    monkeypatch.setenv("OTHER_SETTING", "stays")
    write(tmp_path / "backend" / package / "__init__.py")
    late = GRAPH.replace("AIMessage(SAYS)", "AIMessage(os.environ['SOME_SETTING'] + os.environ['OTHER_SETTING'])")
    (tmp_path / "backend" / package / "agent.py").write_text("import os\n" + late)
    (tmp_path / "backend" / ".env").write_text("SOME_SETTING=set\nOTHER_SETTING=changed\n")
    table = {
        "dependencies": [".", "langchain_openai"],
        "graphs": {"agent": f"./{package}/agent.py:graph", "other": {"path": f"./{package}/agent.py:builder"}},
        "env": ".env",
    }
    (tmp_path / "backend" / "langgraph.json").write_text(json.dumps(table))
    assert await speaks("backend/langgraph.json:agent", tmp_path) == "setstays"
    assert await speaks("backend/langgraph.json:other", tmp_path) == "setstays"


@pytest.mark.parametrize(
    ("factory", "events"),
    [
        ("plain", []),
        ("configured", ["call-1"]),
        ("by_name", ["call-1"]),
        ("at_runtime", ["InMemoryStore"]),
        ("later", []),
        ("generator", ["enter", "leave"]),
        ("plainly_around", ["enter", "leave"]),
    ],
)
async def test_a_factory_is_called_for_the_call(factory: str, events: list[Any], tmp_path: Path):
    write(tmp_path / "graph.py", GRAPH, FACTORIES, says="Made.")
    assert await speaks(f"graph.py:{factory}", tmp_path) == "Made."
    assert events_of(tmp_path) == events


async def test_what_is_around_a_graph_is_entered_and_left_by_one_task(tmp_path: Path):
    write(tmp_path / "graph.py", GRAPH, FACTORIES)
    await speaks("graph.py:around", tmp_path)
    (entered, one), (left, other) = events_of(tmp_path)
    assert (entered, left) == ("enter", "leave")
    assert one is other


def events_of(root: Path) -> list[Any]:
    file = str(root / "graph.py")
    (module,) = [each for each in list(sys.modules.values()) if getattr(each, "__file__", "") == file]
    found: list[Any] = module.EVENTS
    return found


async def test_a_factory_that_fails_at_last_costs_an_apology(tmp_path: Path):
    write(tmp_path / "graph.py", GRAPH, FACTORIES)
    assert "sorry" in await speaks("graph.py:failing_later", tmp_path)


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("graph", "'graph' names no graph"),
        ("missing.py:graph", "missing.py does not exist"),
        ("graph.py:grpah", r"graph.py has no 'grpah'. Did you mean 'graph'\?"),
        ("nowhere.at.all:graph", "there is no module 'nowhere.at.all'"),
        ("graph.py:greedy", "wants 'model'. A factory takes nothing"),
        ("graph.py:wrong", "makes no graph but int"),
        ("graph.py:SAYS", "is no graph but str"),
        ("graph.py:failing", r"graph.py:\d+ ZeroDivisionError: division by zero"),
        ("raises.py:graph", "raises.py:2 ValueError: not today"),
        ("deep.py:graph", "raises.py:2 ValueError: not today"),
        ("broken.py:graph", "broken.py:1 is not valid Python"),
        ("keyless.py:graph", "takes no 'messages'"),
        ("sync.py:graph", "compiled with SqliteSaver, which has no async methods"),
        ("context.py:graph", "User must have a default"),
        ("langgraph.json:nobody", r"langgraph.json has no graph 'nobody'. Known: agent"),
        ("empty.json:agent", "empty.json has no table 'graphs'"),
        ("bad.json:agent", "bad.json:1:2 is not valid JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(reference: str, problem: str, tmp_path: Path):
    write(tmp_path / "graph.py", GRAPH, FACTORIES)
    (tmp_path / "raises.py").write_text("\nraise ValueError('not today')\ngraph = None\n")
    (tmp_path / "deep.py").write_text("import raises\ngraph = None\n")
    (tmp_path / "broken.py").write_text("graph = = 1\n")
    (tmp_path / "keyless.py").write_text(
        "from typing import TypedDict\nfrom langgraph.graph import StateGraph\n"
        "class S(TypedDict):\n  text: str\n"
        "b = StateGraph(S)\nb.add_node('a', lambda s: {})\nb.set_entry_point('a')\ngraph = b.compile()\n"
    )
    saver = "from langgraph.checkpoint.sqlite import SqliteSaver\nimport sqlite3\n"
    write(tmp_path / "sync.py", GRAPH, saver, "graph = builder.compile(SqliteSaver(sqlite3.connect(':memory:')))\n")
    context = "from dataclasses import dataclass\n@dataclass\nclass User:\n  id: str\n"
    write(
        tmp_path / "context.py", context, GRAPH.replace("StateGraph(MessagesState)", "StateGraph(MessagesState, User)")
    )
    (tmp_path / "langgraph.json").write_text(json.dumps({"graphs": {"agent": "./graph.py:graph"}}))
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "bad.json").write_text("{oops}")
    with pytest.raises(BadInput, match=problem):
        GraphFile(reference, tmp_path).for_a_call({"configurable": {"thread_id": "call-1"}})


async def test_a_context_schema_has_its_defaults_and_configured_settings_theirs(tmp_path: Path):
    source = GRAPH.replace("StateGraph(MessagesState)", "StateGraph(MessagesState, User)").replace(
        "async def answer(state: MessagesState):\n    return {",
        "async def answer(state: MessagesState, runtime: Runtime[User], config: RunnableConfig):\n"
        "    SAYS = runtime.context.name + config['configurable'].get('model', ' none')\n    return {",
    )
    head = (
        "from dataclasses import dataclass\nfrom langgraph.runtime import Runtime\n"
        "from langchain_core.runnables import RunnableConfig\n@dataclass\nclass User:\n  name: str = 'Ann'\n"
    )
    configured = "graph = builder.compile().with_config(configurable={'model': ' small'})\n"
    write(tmp_path / "graph.py", head, source)
    write(tmp_path / "configured.py", head, source, configured)
    assert await speaks("graph.py:graph", tmp_path) == "Ann none"
    assert await speaks("configured.py:graph", tmp_path) == "Ann small"


async def test_its_own_checkpointer_is_the_one_that_is_used(tmp_path: Path):
    own = "from langgraph.checkpoint.memory import InMemorySaver\nsaver = InMemorySaver()\n"
    write(tmp_path / "graph.py", GRAPH, own, "graph = builder.compile(saver)\nEVENTS = [saver]\n")
    await speaks("graph.py:graph", tmp_path)
    (saver,) = events_of(tmp_path)
    kept = saver.get_tuple({"configurable": {"thread_id": "call-1"}})
    assert [m.text for m in kept.checkpoint["channel_values"]["messages"]][-2:] == ["hi", "Hello."]


# -- in the agent file -----------------------------------------------------------------------------------------------


def test_the_agent_file_is_checked_and_nothing_is_executed(tmp_path: Path):
    (tmp_path / "graph.py").write_text("graph = 1 / 0\n")
    assert project(tmp_path, {"graph": "graph.py:graph"}).brain.graph == "graph.py:graph"
    with pytest.raises(BadInput, match=r"agents/ava.yaml:4:\d+ .*graph.py has no 'agent'"):
        project(tmp_path, {"graph": "graph.py:agent"})


@pytest.mark.parametrize(
    "beside", [{"llm": "openai/x", "prompt": "x"}, {"prompt": "x"}, {"tools": "tools.py:x"}, {"temperature": 1}]
)
def test_only_one_can_answer(beside: dict[str, Any], tmp_path: Path):
    write(tmp_path / "graph.py", GRAPH)
    with pytest.raises(BadInput, match="only one can answer, and your graph does not read it"):
        project(tmp_path, {"graph": "graph.py:graph", **beside}, tools="def x(): ...\n")


def test_a_flow_and_a_graph_cannot_both_answer(tmp_path: Path):
    write(tmp_path / "graph.py", GRAPH)
    flow = "flow:\n  goals:\n    bye: {title: say goodbye, examples: [bye], done: Bye.}\n"
    with pytest.raises(BadInput, match="the flow or your graph"):
        Agent.parse(f"name: A\nbrain: {{graph: 'graph.py:graph'}}\n{flow}", tmp_path)
