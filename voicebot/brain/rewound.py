"""A conversation that goes on from a moment of another one: said differently, or with the agent as it is now.

    kept = []
    call = Call(agent, transport, brain=Rewound(open_brain(agent, id), keep=kept.append))      # one memory a reply
    call = Call(agent, transport, brain=Rewound(open_brain(agent, id), kept[3]))               # goes on behind it

A memory is taken when the caller has heard a reply, so taking it costs no answer any time. What tools have done in the
world stays done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from langchain_core.messages import AnyMessage, messages_from_dict, messages_to_dict
from loguru import logger

from voicebot.brain import Brain, HandOver, Output, ToolResult
from voicebot.flow import Flow


@dataclass(frozen=True)
class Remembered:
    """What a brain remembers at one moment."""

    messages: Sequence[AnyMessage]
    flow: dict[str, Any] = field(default_factory=dict)
    """Where a flow is, with all it has learned."""
    note: dict[str, str] = field(default_factory=dict)
    """On the earlier part of a long call."""
    agent: str = ""
    """The file of the agent on the line, where a call goes through several."""

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "messages": messages_to_dict(self.messages)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Remembered:
        return cls(**{**kept, "messages": messages_from_dict(kept["messages"])})


class Rewindable(Brain, Protocol):
    """A brain whose memory can be taken, and given to another of the same agent."""

    async def memory(self) -> Remembered:
        """What it remembers now."""

    async def remember(self, memory: Remembered) -> None:
        """Begin with this memory, instead of greeting."""

    def ready(self) -> AsyncGenerator[Output, None]:
        """Open what replies will need. Puts out what cannot be used."""


class Rewound:
    """A `Brain` around another one. `keep` is called with each memory; `begun` is set when the first is in place."""

    def __init__(
        self,
        brain: Rewindable,
        memory: Remembered | None = None,
        keep: Callable[[Remembered], None] | None = None,
    ) -> None:
        self._brain = brain
        self._memory = memory
        self._keep = keep
        self.begun = asyncio.Event()

    @property
    def name(self) -> str:
        return self._brain.name

    async def greet(self) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`. With a memory there is nothing to greet: the conversation goes on."""
        if self._memory is None:
            async for output in self._brain.greet():
                yield output
        else:
            await self._brain.remember(self._memory)
            if self._memory.agent:
                yield HandOver(self._memory.agent, "the conversation goes on from there", self._memory.agent)
            async for output in self._brain.ready():
                yield output
        self.begun.set()

    def reply(self, text: str) -> AsyncGenerator[Output, None]:
        return self._brain.reply(text)

    def say(self, text: str) -> AsyncGenerator[Output, None]:
        return self._brain.say(text)

    async def heard(self, text: str, *, interrupted: bool) -> None:
        await self._brain.heard(text, interrupted=interrupted)
        if self._keep is None:
            return
        try:
            self._keep(await self._brain.memory())
        except Exception as error:  # noqa: BLE001 - a memory that cannot be taken costs a rewind, never the call
            logger.opt(exception=error).warning("the conversation cannot be kept for a rewind")

    async def prepare(self, text: str) -> None:
        await self._brain.prepare(text)

    def settles(self, text: str) -> bool:
        return self._brain.settles(text)

    def on_finish(self, tell: Callable[[ToolResult], None]) -> None:
        self._brain.on_finish(tell)

    @property
    def has_news(self) -> bool:
        return self._brain.has_news

    async def close(self) -> Sequence[Output]:
        return await self._brain.close()


def fits(flow: Flow, state: dict[str, Any]) -> bool:
    """Whether the state of a flow means something to this one, which may have been edited since."""
    asking = state.get("asking") or {}
    slots = {*state.get("slots", {}), *([asking["slot"]] if asking.get("slot") else [])}
    return state.get("goal") in (None, *flow.goals) and slots <= set(flow.slots)
