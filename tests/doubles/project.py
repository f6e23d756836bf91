"""A project folder with one agent, for tests of what reads one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.doubles.openai_endpoint import OpenAIEndpoint
from voicebot.agent import Agent
from voicebot.brain import Output, Say
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.brain.watch import guard_of

GREETING = "Hello, this is Ava. How can I help?"


def project(root: Path, brain: Mapping[str, Any], tools: str = "", **sections: Any) -> Agent:
    """Write `root`/agents/ava.yaml and `root`/tools.py, and load the agent."""
    (root / "agents").mkdir(parents=True, exist_ok=True)
    (root / "tools.py").write_text(tools)
    settings = {"name": "Ava", "greeting": GREETING, "brain": dict(brain), **sections}
    file = root / "agents" / "ava.yaml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    return Agent.load(file)


def llm_agent(
    root: Path, server: OpenAIEndpoint, tools: str = "", *, brain: Mapping[str, Any] | None = None, **sections: Any
) -> Agent:
    """An agent whose model is the loopback server; every function in `tools` is one of its tools."""
    names = [line.split("def ")[1].split("(")[0] for line in tools.splitlines() if "def " in line and line[0] != " "]
    settings = {
        "llm": ["openai/double"],
        "prompt": "You are Ava.",
        "base_url": server.url,
        "tools": [f"tools.py:{name}" for name in names],
    }
    return project(root, {**settings, **(brain or {})}, tools, **sections)


@asynccontextmanager
async def a_call(agent: Agent, call_id: str = "call-1") -> AsyncIterator[GraphBrain]:
    """The brain of a call that has been greeted, closed in the end."""
    brain = open_brain(agent, call_id, guard_of(agent))
    assert isinstance(brain, GraphBrain)
    try:
        async for _ in brain.greet():
            pass
        await brain.heard(agent.greeting or "", interrupted=False)
        yield brain
    finally:
        await brain.close()


async def outputs_of(brain: GraphBrain, text: str) -> list[Output]:
    return [output async for output in brain.reply(text)]


def words(outputs: list[Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, Say))
