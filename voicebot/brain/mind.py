"""From an agent file to a brain: what all calls of an agent share is made once for each process."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
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
    """The brain of one call. Raises BadInput for an agent that cannot be used as it is, Unavailable without a model."""
    models = _models(agent)
    which = f"{agent.root}:{agent.sha256}"
    if which not in _MINDS:
        _MINDS[which] = _llm_mind(agent) if models else _flow_mind(agent)
    name = models[0].name if models else "flow"
    return GraphBrain(_MINDS[which], call_id, name, partial(_connect, agent, models))


def _models(agent: Agent) -> list[providers.Choice]:
    """The language models that can run here, best first; none for a flow."""
    names = agent.brain.llm
    if not names:
        return []
    choices = providers.runnable("llm", names, agent.root, needs_key=agent.brain.base_url is None)
    for choice in choices:
        importlib.import_module(choice.provider.module)  # takes seconds: now, and not while a caller waits
    return choices


def _llm_mind(agent: Agent) -> Mind:
    shown = [end_call(), hand_over(agent.handoff.to)] if agent.handoff else [end_call()]
    toolbox = Toolbox([*toolfile.load(agent.brain.tools, agent.root), *shown])
    system = system_prompt(agent.brain.prompt, agent.language, agent.brain.knowledge, agent.root)
    graph = compiled(llm_node(agent, system, toolbox.schemas))
    return Mind(graph, toolbox, agent.language, agent.greeting)


def _flow_mind(agent: Agent) -> Mind:
    from voicebot.brain.flow.node import flow_node, settles

    hidden = [end_call(), hand_over(agent.handoff.to if agent.handoff else "")]
    toolbox = Toolbox(toolfile.load(agent.brain.tools, agent.root), hidden)
    return Mind(compiled(flow_node(agent)), toolbox, agent.language, agent.greeting, partial(settles, agent))


async def _connect(agent: Agent, models: Sequence[providers.Choice]) -> Sequence[LLM]:
    return [await _open(agent, choice) for choice in models]


async def _open(agent: Agent, choice: providers.Choice) -> LLM:
    module = importlib.import_module(choice.provider.module)
    llm: LLM = await module.connect(
        choice.model,
        base_url=agent.brain.base_url,
        key=config.key(choice.provider.key, agent.root),
        temperature=agent.brain.temperature,
    )
    return llm
