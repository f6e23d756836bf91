"""From an agent file to a brain: what all calls of an agent share is made once for each process."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from voicebot import config, providers
from voicebot.agent import Agent
from voicebot.brain import Brain, toolfile
from voicebot.brain.graph import compiled
from voicebot.brain.prompt import system_prompt
from voicebot.brain.respond import llm_node
from voicebot.brain.session import GraphBrain, Mind
from voicebot.brain.tools import Toolbox, end_call, hand_over
from voicebot.llm import LLM

_MINDS: dict[str, Mind] = {}


def open_brain(agent: Agent, call_id: str) -> Brain:
    """The brain of one call. Raises BadInput for tools or knowledge that cannot be used, Unavailable without a model."""
    which = f"{agent.root}:{agent.sha256}"
    if which not in _MINDS:
        _MINDS[which] = _mind(agent)
    return GraphBrain(_MINDS[which], call_id, _connector(agent))


def _mind(agent: Agent) -> Mind:
    tools = toolfile.load(agent.brain.tools, agent.root)
    endings = [end_call(), hand_over(agent.handoff.to if agent.handoff else "")]
    if not agent.brain.llm:
        return _flow_mind(agent, Toolbox(tools, hidden=endings))
    shown = endings if agent.handoff else endings[:1]
    toolbox = Toolbox([*tools, *shown])
    system = system_prompt(agent.brain.prompt, agent.language, agent.brain.knowledge, agent.root)
    graph = compiled(llm_node(agent, system, toolbox.schemas))
    return Mind(agent.brain.llm[0], graph, toolbox, agent.language, agent.greeting)


def _flow_mind(agent: Agent, toolbox: Toolbox) -> Mind:
    from voicebot.brain.flow.node import flow_node, settles

    graph = compiled(flow_node(agent))
    return Mind("flow", graph, toolbox, agent.language, agent.greeting, partial(settles, agent))


def _connector(agent: Agent) -> Callable[[], Awaitable[Sequence[LLM]]]:
    """Opens the agent's models that can run here, best first. Raises Unavailable at once when there is none."""
    needs_key = agent.brain.base_url is None
    if agent.brain.llm:
        providers.choose("llm", agent.brain.llm, agent.root, needs_key=needs_key)

    async def connect() -> Sequence[LLM]:
        models = []
        for name in agent.brain.llm:
            provider = providers.find("llm", name)
            if providers.why_not(provider, agent.root, needs_key=needs_key):
                continue
            module = importlib.import_module(provider.module)
            models.append(
                await module.connect(
                    name.partition("/")[2] or module.DEFAULT_MODEL,
                    base_url=agent.brain.base_url,
                    key=config.key(provider.key, agent.root),
                    temperature=agent.brain.temperature,
                )
            )
        return models

    return connect
