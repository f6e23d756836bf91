"""Words that callers of an agent are likely to say and that a general recogniser may not expect: names above all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from voicebot.agent import Agent
from voicebot.stt.vocabulary import knowledge_of

_MOST_NAMES = 30
_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][\w'-]+)(?: [A-Z][\w'-]+)*")
"""Capitalised words that do not begin a sentence."""


def likely_words(agent: Agent) -> str:
    """The agent's greeting and the likely names, as a text that was said before."""
    names = likely_names(agent)
    return " ".join(part for part in (agent.greeting, f"{', '.join(names)}." if names else "") if part)


def likely_names(agent: Agent) -> list[str]:
    """The agent's name, what its choices are called, and names from its file and its knowledge; at most thirty."""
    return list(dict.fromkeys(name.strip() for name in _names(agent)))[:_MOST_NAMES]


def _names(agent: Agent) -> Iterator[str]:
    yield agent.name
    for slot in agent.flow.slots.values() if agent.flow else ():
        yield from slot.values
    for text in (agent.brain.prompt or "", knowledge_of(agent)):
        yield from _NAME.findall(text)
    if agent.flow:
        names = agent.flow.names
        yield from (" ".join(pair) for pair in zip_longest(names.first, names.last, fillvalue=""))
