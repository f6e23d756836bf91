"""Several agents in one call: a brain that passes the conversation from one agent's brain to the next.

An agent hands over with the tool `hand_over`, as it does to a person. It finishes its sentence; when the caller has
heard it, the other agent has news, as a tool that finishes in the background has, and so speaks up. It knows the
conversation as the caller heard it. Whoever interrupts that sentence is answered by the agent they know.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from langchain_core.messages import AnyMessage, HumanMessage

from voicebot.agent import Agent
from voicebot.brain import HandOver, Output
from voicebot.brain.background import Tell
from voicebot.brain.rewound import Remembered
from voicebot.brain.session import GraphBrain

TAKEN_OVER = "[You have taken over this call from {name}. {reason}Go on from here; do not ask again what was said.]"
"""Stands for the caller's words when a language model takes over."""


class Relay:
    """A `voicebot.brain.Brain`. The `brains` are those of the agents of a family, by file."""

    def __init__(self, first: Agent, brains: Mapping[str, GraphBrain]) -> None:
        self._agents = first.family()
        self._brains = brains
        self._agent = first
        self._brain = brains[first.file]
        self._next: HandOver | None = None
        """Who takes over with the next reply, unless the caller interrupts this one."""

    @property
    def name(self) -> str:
        return self._brain.name

    async def greet(self) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`. The others are made ready, too, while the caller hears the first."""
        async for output in self._brain.greet():
            yield output
        async for output in self.ready():
            yield output

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`."""
        if self._next:
            taken, self._next = self._next, None
            text = await self._pass_on(taken, text)
            yield taken
        async for output in self._brain.reply(text):
            partner = self._partner(output.to) if isinstance(output, HandOver) else None
            if partner and isinstance(output, HandOver):
                self._next = replace(output, agent=partner.file)
            else:
                yield output

    def _partner(self, to: str) -> Agent | None:
        """The agent behind one of the present agent's handoffs; None when the call leaves the agents."""
        targets = self._agent.handoff
        chosen = next((target for target in targets if target.to == to), targets[0] if targets else None)
        return self._agent.partner(chosen.agent) if chosen and chosen.agent else None

    async def _pass_on(self, taken: HandOver, text: str) -> str:
        """Let the other brain take over. Returns the words that it has to answer."""
        left, leaves = self._agent, self._brain
        messages = await leaves.messages()
        self._agent = self._agents[taken.agent]
        self._brain = self._brains[taken.agent]
        await self._brain.take_over(messages, leaves.slots)
        if text:
            return text
        if self._agent.flow:
            return _last_words(messages)
        reason = f"Why: {taken.reason.rstrip('.')}. " if taken.reason else ""
        known = "".join(f"{name}: {value}. " for name, value in leaves.slots.items() if value is not None)
        return TAKEN_OVER.format(name=left.name, reason=reason + known)

    def say(self, text: str) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`."""
        return self._brain.say(text)

    async def heard(self, text: str, *, interrupted: bool) -> None:
        if interrupted:
            self._next = None
        await self._brain.heard(text, interrupted=interrupted)

    async def prepare(self, text: str) -> None:
        if not self._next:
            await self._brain.prepare(text)

    def settles(self, text: str) -> bool:
        return self._brain.settles(text)

    async def memory(self) -> Remembered:
        """What the agent on the line remembers now; `agent` is '' while that is the first one."""
        is_first = self._agent.file == next(iter(self._agents))
        return replace(await self._brain.memory(), agent="" if is_first else self._agent.file)

    async def remember(self, remembered: Remembered) -> None:
        """Begin with what another relay of these agents remembered, at the agent that was on the line then."""
        self._agent = self._agents.get(remembered.agent, self._agent)
        self._brain = self._brains[self._agent.file]
        await self._brain.remember(remembered)

    async def ready(self) -> AsyncGenerator[Output, None]:
        """All of them."""
        for brain in self._brains.values():
            async for output in brain.ready():
                yield output

    def on_finish(self, tell: Tell) -> None:
        for brain in self._brains.values():
            brain.on_finish(tell)

    @property
    def has_news(self) -> bool:
        return self._next is not None or self._brain.has_news

    async def close(self) -> Sequence[Output]:
        late: list[Output] = []
        for brain in self._brains.values():
            late += await brain.close()
        return late


def _last_words(messages: Sequence[AnyMessage]) -> str:
    """What the caller said last."""
    said = (message.text for message in reversed(messages) if isinstance(message, HumanMessage))
    return next((text for text in said if text.strip()), "")
