"""Tools and handoffs in the agent file: what loads, and how a mistake reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.agent import Agent
from voicebot.errors import BadInput

HEAD = "name: Ava\nbrain:\n  llm: openai/x\n  prompt: You are Ava.\n  tools:\n"
ORDER = """\
    - http:
        name: order
        description: Where an order is.
        url: https://shop.example.com/orders/{order_id}
        parameters: {order_id: string}
"""
FLOW = """
name: Ava
brain:
  tools:
    - {python: tools.py:book, timeout: 3s, idempotent: true}
    - http:
        name: free
        description: Free days.
        url: https://desk.example.com/days
        parameters: {day: string, until: {type: string, required: false}}
flow:
  slots:
    day: {type: date, ask: When?}
  checks:
    free: {tool: free, with: [day]}
  goals:
    book: {title: book, examples: [book], ask: [day], check: [free], confirm: "On {day}?",
      do: {tool: book, with: [day]}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tools.py").write_text('def book(day: str) -> str: "Book."\n')
    (tmp_path / "agents").mkdir()
    return tmp_path


def refusal(project: Path, text: str) -> str:
    with pytest.raises(BadInput) as caught:
        Agent.parse(text, project, "ava.yaml")
    return str(caught.value)


def test_every_kind_of_tool_loads(project: Path) -> None:
    agent = Agent.parse(
        HEAD
        + ORDER
        + "      timeout: 3s\n    - tools.py:book\n    - press_keys\n"
        + "    - {mcp: {command: server, only: [a, b]}, idempotent: [a]}\n    - mcp: {url: 'http://x/mcp'}\n",
        project,
    )
    assert [tool.names for tool in agent.brain.tools] == [["order"], ["book"], ["press_keys"], ["a", "b"], []]
    assert agent.brain.tools[0].timeout == 3
    again = Agent.parse(Agent(name="Ava", brain=agent.brain).source, project)
    assert again.brain == agent.brain


def test_one_tool_needs_no_list(project: Path) -> None:
    text = "name: Ava\nbrain: {llm: openai/x, prompt: y, tools: {mcp: {command: x}}}"
    assert len(Agent.parse(text, project).brain.tools) == 1


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        ("{htp: {}}", "6:8 unknown key 'htp' in 'tools'. Did you mean 'http'?"),
        ("{timeout: 3s}", "6:7 this is no tool. Write 'python', 'http' or 'mcp' in it."),
        ("{python: tools.py:bok}", "6:16 no function 'bok' in tools.py. Did you mean 'book'?"),
        ("pres_keys", "6:7 'pres_keys' names no tool. Write FILE.py:FUNCTION, for example tools.py:book."),
        ("{python: tools.py:book, timeout: 3}", ""),
        ("{python: tools.py:book, timeout: 0s}", "6:40 'timeout' must be greater than 0."),
        ("{python: tools.py:book, idempotent: [x]}", "6:43 for 'python' it must be true or false."),
        ("{python: tools.py:book, mcp: {command: x}}", "6:7 'python' and 'mcp' are two tools. Write two list items."),
        ("{mcp: {command: x, url: 'http://x'}}", "6:13 an MCP server has either a 'command' or a 'url'."),
        ("{mcp: {command: x, headers: {a: b}}}", "6:35 it does not go with 'command'."),
        (
            "{mcp: {command: x, only: [read]}, idempotent: [raed]}",
            "6:53 'raed' is not in 'only'. Did you mean 'read'?",
        ),
        ("{mcp: {command: x}, idempotent: true}", "6:39 for 'mcp' it must be the names of tools."),
        ("5", "6:7 'tools' must be 'key: value' lines, not '5'."),
    ],
)
def test_a_mistake_is_told_at_its_place(project: Path, tool: str, line: str) -> None:
    text = HEAD + f"    - {tool}\n"
    if line:
        assert refusal(project, text) == f"ava.yaml:{line}"
    else:
        Agent.parse(text, project)


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("url:", "ulr:", "9:9 unknown key 'ulr' in 'http'. Did you mean 'url'?"),
        ("{order_id}", "{oder_id}", "9:14 unknown parameter 'oder_id'. Did you mean 'order_id'?"),
        ("https://shop.example.com", "https://{order_id}.com", "9:14 the host of a tool's address is fixed: no "),
        ("https://shop", "https://me@shop", "9:14 the host of a tool's address is fixed: no "),
        ("https://shop", "shop", "9:14 'shop.example.com/orders/{order_id}' is no web address."),
        ("/{order_id}", "?id={order_id}", "9:14 a {placeholder} cannot stand behind the '?'."),
        ("{order_id: string}", "{order_id: text}", "10:32 unknown type 'text'. Known: "),
        ("{order_id: string}", "{order_id: {type: sting}}", "10:21 order_id.type is no JSON schema: 'sting' is not "),
        ("{order_id: string}", "{order_id: {type: string, default: '7'}}", "10:32 the path needs it, so it cannot "),
        ("name: order", "name: the order", "7:15 'name' must match pattern"),
        ("name: order", "method: FETCH", "7:17 'method' cannot be 'FETCH'."),
    ],
)
def test_a_mistake_in_a_request_is_told_at_its_place(project: Path, right: str, wrong: str, line: str) -> None:
    assert right in ORDER
    assert refusal(project, HEAD + ORDER.replace(right, wrong)).splitlines()[-1].startswith(f"ava.yaml:{line}")


def test_a_variable_may_stand_for_any_part_of_an_address(project: Path) -> None:
    text = ORDER.replace("https://shop.example.com", "${SHOP_URL}").replace("/orders", "/${SHOP_ID}")
    Agent.parse(HEAD + text, project)


def test_two_tools_of_one_name_are_refused(project: Path) -> None:
    assert "two tools are called 'order'" in refusal(project, HEAD + ORDER + ORDER.replace("Where", "There"))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("tool: free,", "tool: fre,", "unknown tool 'fre'. Did you mean 'free'?"),
        ("{tool: free, with: [day]}", "{tool: free, with: []}", "free needs 'day' too."),
        ("day: string, until", "until: string, day", "free needs 'until' too."),
        ("{tool: free, with: [day]}", "{tool: free, with: [day, dya]}", "free has no parameter 'dya'."),
        ("idempotent: true", "background: true", "'book' runs in the background, and a flow needs its result."),
    ],
)
def test_a_flow_may_use_tools_of_any_kind_as_they_are(project: Path, right: str, wrong: str, said: str) -> None:
    Agent.parse(FLOW, project)
    assert right in FLOW
    assert said in refusal(project, FLOW.replace(right, wrong).replace("[day, dya]", "[day, dya]"))


def agent_file(project: Path, name: str, *handoff: str) -> Path:
    path = project / "agents" / f"{name}.yaml"
    path.write_text(
        f"name: {name}\nbrain: {{llm: openai/x, prompt: y}}\nhandoff:\n"
        + "".join(f"  - {{to: {other}, agent: agents/{other}.yaml}}\n" for other in handoff)
        if handoff
        else f"name: {name}\nbrain: {{llm: openai/x, prompt: y}}\n"
    )
    return path


def test_agents_may_hand_over_in_a_circle(project: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        agent_file(project, name, other)
    agent = Agent.load(project / "agents" / "a.yaml")
    assert list(agent.family()) == ["agents/a.yaml", "agents/b.yaml", "agents/c.yaml"]
    assert agent.family()["agents/c.yaml"].partner("agents/a.yaml") is agent


def test_an_agent_that_cannot_take_over_is_told_at_its_place(project: Path) -> None:
    agent_file(project, "billing")
    assert refusal(project, (agent_file(project, "a", "biling")).read_text()) == (
        "ava.yaml:4:25 agents/biling.yaml does not exist. Did you mean 'agents/billing.yaml'?"
    )
    with pytest.raises(BadInput, match=r"a\.yaml:4:20 an agent cannot pass the call on to itself"):
        Agent.load(agent_file(project, "a", "a"))


def test_a_mistake_in_the_other_agents_file_is_told_there(project: Path) -> None:
    (project / "agents" / "b.yaml").write_text("nmae: b\nbrain: {llm: openai/x, prompt: y}\n")
    with pytest.raises(BadInput, match=r"b\.yaml:1:1 unknown key 'nmae'"):
        Agent.load(agent_file(project, "a", "b"))


def test_a_chain_of_agents_has_an_end(project: Path) -> None:
    for number in range(20):
        agent_file(project, f"n{number}", f"n{number + 1}")
    agent_file(project, "n20")
    with pytest.raises(BadInput, match="one call can go through 12 agents at most"):
        Agent.load(project / "agents" / "n0.yaml")
