"""From an agent file to a brain: what all calls of an agent share is made once for each process."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from voicebot import config, providers
from voicebot.agent import Agent
from voicebot.brain import Failed, archive
from voicebot.brain.graph import RECALL, compiled
from voicebot.brain.graphfile import GraphFile
from voicebot.brain.guardrails import Guard
from voicebot.brain.recall import briefed
from voicebot.brain.relay import Relay
from voicebot.brain.respond import Responder
from voicebot.brain.rewound import Rewindable, fits
from voicebot.brain.session import GraphBrain, Mind
from voicebot.brain.tools import Toolbox, toolbox_of
from voicebot.brain.watch import Watch
from voicebot.errors import VoicebotError
from voicebot.llm import LLM
from voicebot.money.prices import prices

_MINDS: dict[str, Mind] = {}


def open_brain(agent: Agent, call_id: str, guard: Guard | None = None) -> Rewindable:
    """The brain of one call, whichever agents it goes through, with `guard` around it.

    Raises BadInput for an agent that cannot be used as it is, Unavailable without a model.
    """
    family = agent.family()
    if len(family) == 1:
        return _open_brain(agent, call_id, guard)
    return Relay(agent, {file: _open_brain(one, f"{call_id} {file}", guard) for file, one in family.items()})


def _open_brain(agent: Agent, call_id: str, guard: Guard | None) -> GraphBrain:
    models = llms_of(agent)
    which = f"{agent.root}:{agent.sha256}"
    if which not in _MINDS:
        _MINDS[which] = _mind(agent)
    name = models[0].name if models else agent.brain.graph or "flow"
    watch = Watch(guard, agent, redacts=agent.flow is None, judge=_judge(agent)) if guard else None
    unusable: list[Failed] = []
    return GraphBrain(_MINDS[which], call_id, name, partial(_connect, agent, models, unusable), watch, unusable)


def _mind(agent: Agent) -> Mind:
    if agent.brain.graph:
        kept = agent.brain.checkpoints != "memory"
        graph = GraphFile(agent.brain.graph, agent.root, language=agent.language, is_archived=kept)
        mind = Mind(graph, Toolbox([]), agent.language, agent.greeting)
    else:
        mind = _flow_mind(agent) if agent.flow else _llm_mind(agent)
    kind = agent.brain.checkpoints
    if kind == "memory":
        return mind
    archive.connection(kind, agent.root)  # says now what is missing
    return replace(mind, archive=partial(archive.archive, kind, agent.root))


def llms_of(agent: Agent) -> list[providers.Choice]:
    """The language models that can run here, best first; none for a flow."""
    names = agent.brain.llm
    if not names:
        return []
    choices = providers.runnable("llm", names, agent.root, keyless="openai" if agent.brain.base_url else "")
    for choice in choices:
        importlib.import_module(choice.provider.module)  # takes seconds: now, and not while a caller waits
    return choices


def _llm_mind(agent: Agent) -> Mind:
    toolbox = toolbox_of(agent)
    system, recall = briefed(agent, toolbox.schemas)
    responder = Responder(agent, system, toolbox)
    graph = compiled(responder.respond, [(RECALL, recall.node)], agent.language)
    prepare = recall.before(responder.prepare) if agent.brain.speculative else None
    budget, warm = agent.brain.context, responder.warm
    return Mind(graph, toolbox, agent.language, agent.greeting, warm=warm, prepare=prepare, context=budget)


def _flow_mind(agent: Agent) -> Mind:
    """A flow, alone or with a language model on its rails."""
    from voicebot.brain.flow.node import flow_node, settles
    from voicebot.brain.flow.rails import OnRails

    toolbox = toolbox_of(agent, endings_hidden=True)
    assert agent.flow
    slots, known = frozenset(agent.flow.slots), partial(fits, agent.flow)
    settled = partial(settles, agent)
    if not agent.brain.llm:
        return Mind(
            compiled(flow_node(agent), language=agent.language),
            toolbox,
            agent.language,
            agent.greeting,
            settled,
            slots=slots,
            fits=known,
        )
    system, recall = briefed(agent)
    rails = OnRails(agent, system)
    graph = compiled(rails.respond, [(RECALL, recall.node)], agent.language)
    prepare = recall.before(rails.prepare) if agent.brain.speculative else None
    budget = agent.brain.context
    return Mind(
        graph, toolbox, agent.language, agent.greeting, settled, prepare, context=budget, slots=slots, fits=known
    )


def _judge(agent: Agent) -> Callable[[], Awaitable[LLM]] | None:
    """Opens the model that the guardrails ask for a second opinion. Raises as `providers.choose` does."""
    rails = agent.brain.guardrails
    if rails is None or rails.judge is None:
        return None
    choice = providers.choose("llm", [rails.judge.llm], agent.root, keyless="openai" if agent.brain.base_url else "")
    return partial(open_llm, agent, choice)


async def _connect(agent: Agent, models: Sequence[providers.Choice], unusable: list[Failed]) -> Sequence[LLM]:
    """Those that can be opened; raises what the last one raises when that is none."""
    llms: list[LLM] = []
    for index, choice in enumerate(models):
        following = models[index + 1] if index + 1 < len(models) else None
        try:
            llms.append(await open_llm(agent, choice))
        except VoicebotError as error:
            if not llms and following is None:
                raise
            unusable.append(Failed(choice.name, str(error), f"next: {following.name}" if following else "left out"))
    return llms


async def open_llm(agent: Agent, choice: providers.Choice) -> LLM:
    """One of `llms_of`, ready to be asked. Raises BadInput, Unavailable."""
    provider = choice.provider
    elsewhere = agent.brain.base_url if provider.name == "openai" else None
    module = importlib.import_module(provider.module)
    llm: LLM = await module.connect(
        choice.model,
        base_url=elsewhere or provider.base_url or None,
        key=config.key(provider.key, agent.root),
        temperature=agent.brain.temperature,
        **({"root": agent.root} if provider.store else {}),
    )
    price = None if elsewhere else prices(agent.root).model(choice.name)
    return replace(llm, name=choice.name, key=provider.key, price=price)
