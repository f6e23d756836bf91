"""The tools of an agent file in a conversation: shown to the model, run, and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.web_service import WebService, json
from voicebot.agent import Agent
from voicebot.brain import CallTool, Failed, Output, Say, ToolResult
from voicebot.brain.mind import open_brain
from voicebot.errors import BadInput

ORDER = {"name": "order", "description": "Where an order is.", "parameters": {"order_id": "string"}}


def agent_with(root: Path, server: OpenAIEndpoint, *tools: Any) -> Agent:
    brain = {"llm": "openai/double", "prompt": "You are Ava.", "base_url": server.url, "tools": list(tools)}
    return Agent.parse(yaml.safe_dump({"name": "Ava", "brain": {**brain, "speculative": False}}), root)


async def outputs(agent: Agent, *texts: str) -> list[Output]:
    """All that its brain puts out in a call; the caller hears everything."""
    brain = open_brain(agent, "call")
    found = [output async for output in brain.greet()]
    for text in texts:
        replied = [output async for output in brain.reply(text)]
        await brain.heard("".join(output.text for output in replied if isinstance(output, Say)), interrupted=False)
        found += replied
    await brain.close()
    return found


def words(found: list[Output]) -> str:
    return "".join(output.text for output in found if isinstance(output, Say))


async def test_a_model_asks_a_web_service(tmp_path: Path):
    server = OpenAIEndpoint(answer("", ("order", {"order_id": "7"})), answer("It is on its way."))
    async with server, WebService(json({"state": "sent"})).running() as service:
        tool = {"http": {**ORDER, "url": service.url + "/orders/{order_id}"}, "say": "Let me look."}
        found = await outputs(agent_with(tmp_path, server, tool), "where is order 7?")
    assert words(found) == "Let me look. It is on its way."
    assert [type(output) for output in found if isinstance(output, CallTool | ToolResult)] == [CallTool, ToolResult]
    (result,) = [output for output in found if isinstance(output, ToolResult)]
    assert (result.ok, result.result, result.attempts) == (True, {"state": "sent"}, 1)
    shown = [tool["function"]["name"] for tool in server.requests[0]["tools"]]
    assert shown == ["order", "end_call"]
    remembered = server.requests[1]["messages"][-2]
    assert (remembered["role"], remembered["content"]) == ("assistant", "Let me look.")


async def test_what_is_said_for_a_tool_is_not_said_when_the_model_has_words(tmp_path: Path):
    server = OpenAIEndpoint(answer("One second.", ("order", {"order_id": "7"})), answer("Sent."))
    async with server, WebService(json(1)).running() as service:
        tool = {"http": {**ORDER, "url": service.url + "/{order_id}"}, "say": "Let me look."}
        found = await outputs(agent_with(tmp_path, server, tool), "where is order 7?")
    assert words(found) == "One second. Sent."


async def test_a_server_that_cannot_be_used_costs_its_tools_only(tmp_path: Path):
    pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")
    async with OpenAIEndpoint(answer("Hello.")) as server:
        agent = agent_with(tmp_path, server, {"mcp": {"command": "false"}})
        found = await outputs(agent, "hello", "hello again")
    (failed,) = [output for output in found if isinstance(output, Failed)]
    assert (failed.kind, failed.remedy) == ("tool", "its tools are left out")
    assert failed.error.startswith("MCP server 'false' cannot be used: ")
    assert words(found) == "Hello.Hello."
    assert [tool["function"]["name"] for tool in server.requests[0]["tools"]] == ["end_call"]


async def test_a_setting_that_is_missing_is_said_before_the_call(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hello.")) as server:
        tool = {"http": {**ORDER, "parameters": {}, "url": "http://x", "headers": {"Authorization": "${NO_SUCH_KEY}"}}}
        with pytest.raises(BadInput, match=r"^NO_SUCH_KEY is not set, and tool 'order' needs it"):
            open_brain(agent_with(tmp_path, server, tool), "call")
