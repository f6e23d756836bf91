"""What callers of an agent may say: the text that the embedded recogniser's language model is compiled from.

The agent's own words come first: what its flow understands, the headings of its knowledge, what it says itself.
Around them stands `conversation.yaml`, what people say to any business on the telephone.
"""

from __future__ import annotations

import functools
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from importlib import resources

import yaml

from voicebot.agent import Agent
from voicebot.flow.utterances import spoken, utterances
from voicebot.stt.templates import sample

Weights = dict[str, float]

_OWN, _SAID, _GENERAL = 5.0, 1.0, 1.0
_SAMPLES = 100
"""Sentences drawn from each template of conversation.yaml."""
_SEED = 11


def sentences(agent: Agent) -> Weights:
    """Sentences in spoken lower-case words, each with its weight."""
    knowledge = knowledge_of(agent)
    headings = [spoken(line.lstrip("# ")) for line in knowledge.splitlines() if line.startswith("#")]
    own = utterances(agent.flow, headings) if agent.flow else headings
    weights: Weights = defaultdict(float)
    for sentence in own:
        weights[sentence] += _OWN
    for text in (agent.greeting or "", agent.brain.prompt or "", knowledge):
        for sentence in re.split(r"[.!?:;\n]+", text):
            weights[spoken(sentence)] += _SAID
    for sentence in general([*topics(agent), *headings]):
        weights[sentence] += _GENERAL
    weights.pop("", None)
    return dict(weights)


def topics(agent: Agent) -> list[str]:
    """What the agent's choices are called: 'cleaning', 'check up', ..."""
    slots = agent.flow.slots.values() if agent.flow else ()
    return [spoken(name) for slot in slots for value, others in slot.values.items() for name in (value, *others)]


def knowledge_of(agent: Agent) -> str:
    """The text of all knowledge files."""
    if agent.root is None:
        return ""
    files = sorted({path for pattern in agent.brain.knowledge for path in agent.root.glob(pattern)})
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def general(names: Iterable[str]) -> list[str]:
    """What people say on the telephone, about `names` and anything else. The same names give the same sentences."""
    chance = random.Random(_SEED)  # noqa: S311 - a language model needs variety, not secrecy
    classes = {**_conversation()["classes"], "topic": sorted(set(names))}
    templates = [line for part, lines in _conversation().items() if part != "classes" for line in lines]
    return [sample(template, classes, chance) for template in templates for _ in range(_SAMPLES)]


@functools.cache
def _conversation() -> dict[str, dict[str, list[str]]]:
    text = resources.files("voicebot.stt").joinpath("conversation.yaml").read_text(encoding="utf-8")
    safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C where there is one, ten times faster
    loaded: dict[str, dict[str, list[str]]] = yaml.load(text, Loader=safe)  # noqa: S506 - a safe loader, see above
    return loaded
