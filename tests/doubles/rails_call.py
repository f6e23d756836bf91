"""A call to a template's agent with a language model on its rails, on a fixed day, with its real tools on a copy."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.doubles.openai_endpoint import OpenAIEndpoint
from tests.doubles.text_call import TEMPLATES, TODAY
from voicebot.agent import Agent
from voicebot.brain import CallTool, Failed, Output, Say
from voicebot.brain.flow.node import FlowMind
from voicebot.brain.flow.rails import OnRails
from voicebot.brain.graph import compiled
from voicebot.brain.session import GraphBrain, Mind
from voicebot.brain.tools import toolbox_of
from voicebot.llm import LLM, openai

PROMPT = "You are the agent of a small company."
DEFAULT = ("openai/double",)
DOING = {"book", "move", "cancel", "change_delivery"}
"""Tools that change something."""


def on_rails(template: str, root: Path, url: str, *models: str, wording: str = "exact") -> Agent:
    """The template's agent in `root`, with two lines more, and tools whose today is TODAY."""
    shutil.copytree(TEMPLATES / template, root)
    (file,) = (root / "agents").glob("*.yaml")
    lines = f"brain:\n  llm: {json.dumps(models or DEFAULT)}\n  prompt: {PROMPT}\n  base_url: {url}\n"
    flow = f"flow:\n  wording: {wording}\n"
    file.write_text(file.read_text().replace("brain:\n", lines, 1).replace("flow:\n", flow, 1))
    tools = root / "tools.py"
    typing = "from typing import Any\n"
    fixed = f"{typing}\nfrom tests.doubles.text_call import Today as date\n"
    tools.write_text(tools.read_text().replace(typing, fixed, 1))
    return Agent.load(file)


class RailsCall:
    """A call in text. `outputs` is everything the brain has put out."""

    def __init__(self, agent: Agent, brain: GraphBrain, rails: OnRails) -> None:
        self.agent, self.brain = agent, brain
        self.interpreter = rails._interpreter
        self.outputs: list[Output] = []

    async def say(self, text: str, *, heard: str | None = None) -> str:
        """A whole turn: the reply is heard to the end, or as far as `heard`. Returns what the agent says."""
        outputs = [output async for output in self.brain.reply(text)]
        self.outputs += outputs
        said = "".join(output.text for output in outputs if isinstance(output, Say))
        await self.brain.heard(said if heard is None else heard, interrupted=heard is not None)
        return said

    @property
    def deeds(self) -> list[tuple[str, dict[str, Any]]]:
        return [(each.name, each.arguments) for each in self._of(CallTool) if each.name in DOING]

    @property
    def tools(self) -> list[str]:
        return [each.name for each in self._of(CallTool)]

    @property
    def failures(self) -> list[Failed]:
        return self._of(Failed)

    def _of(self, kind: type[Any]) -> list[Any]:
        return [output for output in self.outputs if isinstance(output, kind)]

    def kept(self, name: str) -> list[dict[str, Any]]:
        """A file of the project's data folder."""
        kept: list[dict[str, Any]] = json.loads((self.agent.root / "data" / name).read_text())
        return kept


@functools.cache
def _leader(template: str) -> FlowMind:
    """The template's dialogue; it keeps nothing of a call."""
    (file,) = (TEMPLATES / template / "agents").glob("*.yaml")
    return FlowMind(Agent.load(file), today=lambda: TODAY)


async def _connect(url: str, models: Sequence[str]) -> Sequence[LLM]:
    return [await openai.connect(name.removeprefix("openai/"), base_url=url) for name in models]


@asynccontextmanager
async def rails_call(
    template: str, root: Path, server: OpenAIEndpoint, *models: str, wording: str = "exact"
) -> AsyncIterator[RailsCall]:
    """A call that has been greeted."""
    agent = on_rails(template, root / template, server.url, *models, wording=wording)
    rails = OnRails(agent, PROMPT, _leader(template))
    mind = Mind(
        compiled(rails.respond), toolbox_of(agent, endings_hidden=True), "en", agent.greeting, prepare=rails.prepare
    )
    brain = GraphBrain(mind, "call-1", "openai/double", functools.partial(_connect, server.url, models or DEFAULT))
    try:
        async for _ in brain.greet():
            pass
        await brain.heard(agent.greeting or "", interrupted=False)
        yield RailsCall(agent, brain, rails)
    finally:
        await brain.close()


def last_words(request: dict[str, Any]) -> str:
    """What the caller said last in a request to the model, without the notes around it."""
    said = [each["content"] for each in request["messages"] if each["role"] == "user"][-1]
    text = said if isinstance(said, str) else " ".join(part["text"] for part in said)
    return re.sub(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]", "", text).strip()
