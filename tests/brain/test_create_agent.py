"""Agents of `langchain.agents.create_agent`, with a person asked before a tool runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.guests import guest, say
from tests.doubles.project import words
from voicebot.brain import ToolResult

pytest.importorskip("langchain.agents", reason="langchain is not installed")

AGENT = """
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from tests.graphs_of_others.scripted import Scripted, call

SENT = []

@tool
def send_email(to: str, subject: str) -> str:
    "Send an e-mail."
    SENT.append(to)
    return f"sent to {to}"

def says(messages):
    if isinstance(messages[-1], ToolMessage):
        return f"So: {messages[-1].text}"
    to = messages[-1].text.split()[-1]
    return AIMessage("Right.", tool_calls=[call("send_email", f"call-{len(messages)}", to=to, subject="Hello")])

agent = create_agent(
    Scripted(says=says), [send_email], middleware=[HumanInTheLoopMiddleware(interrupt_on={"send_email": True})]
)
plain = create_agent(Scripted(says=says), [send_email])
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "graph.py").write_text(AGENT)
    return tmp_path


async def test_its_tools_are_told_and_its_words_spoken_once(root: Path):
    async with guest("graph.py:plain", root) as brain:
        outputs = await say(brain, "write to Bob")
        assert words(outputs) == "Right. So: sent to Bob"
        assert [each.result for each in outputs if isinstance(each, ToolResult)] == ["sent to Bob"]


async def test_a_yes_approves_and_a_no_rejects(root: Path):
    async with guest("graph.py:agent", root) as brain:
        assert words(await say(brain, "write to Bob")) == "Right. Send email, to Bob, subject Hello. Shall I go ahead?"
        assert words(await say(brain, "yes please")) == "So: sent to Bob"
        await say(brain, "write to Ann")
        outputs = await say(brain, "no, thanks")
        assert words(outputs).startswith("So: User rejected the tool call")
        assert [each.ok for each in outputs if isinstance(each, ToolResult)] == [False]


async def test_anything_else_rejects_with_the_callers_words(root: Path):
    async with guest("graph.py:agent", root) as brain:
        await say(brain, "write to Bob")
        assert words(await say(brain, "yes but to his wife")).endswith("with reason: yes but to his wife")


async def test_after_a_cut_the_thread_holds_what_was_heard(root: Path):
    async with guest("graph.py:agent", root) as brain:
        await say(brain, "write to Bob")
        await say(brain, "yes", heard="So: sent")
        assert [m.text for m in await brain.messages()][2:] == ["write to Bob", "Right.", "sent to Bob", "So: sent"]
