"""The node before the answer: it brings back what the model should have in mind in this turn.

That is the note on the earlier part of the call, for its checkpoint, and passages of the knowledge that fit what the
caller asks, where there is more than the prompt holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AnyMessage
from langgraph.runtime import Runtime
from loguru import logger

from voicebot import clock
from voicebot.agent import Agent
from voicebot.brain import Failed, Prepared
from voicebot.brain.graph import CallContext, State
from voicebot.brain.memory import estimated_tokens, tool_tokens
from voicebot.brain.prompt import Document, fits, read, system_prompt
from voicebot.brain.retrieve import PASSAGES, Retriever, WordRetriever, question_of, shown
from voicebot.errors import BadInput

RETRIEVE_S = 1.0
"""How long looking things up may take; after that the agent answers without."""
PASSAGES_SHARE = 1 / 6
"""Of `brain.context`, for the passages of a turn."""
PROMPT_SHARE = 3 / 4
"""Of `brain.context`, for the prompt and the tools at most: what is left is for the conversation."""

Prepare = Callable[[State, CallContext], Awaitable[None]]


class Recall:
    """For all calls of an agent. `context` is the budget in tokens."""

    def __init__(self, context: int, retriever: Retriever | None) -> None:
        self._limit = round(PASSAGES_SHARE * context)
        self._retriever = retriever

    async def node(self, state: State, runtime: Runtime[CallContext]) -> dict[str, Any]:
        """The node."""
        passages, began_s = "", clock.now_s()
        try:
            passages = runtime.context.known(await self._passages(state["messages"]))
        except Exception as error:  # noqa: BLE001 - whatever a retriever raises, the call goes on
            logger.opt(exception=error).warning("nothing is looked up in this turn")
            why = f"silent for {RETRIEVE_S:g} s." if isinstance(error, TimeoutError) else f"{type(error).__name__}."
            runtime.stream_writer(Failed("knowledge", why, "answers without it", "store"))
        if self._retriever:
            runtime.stream_writer(Prepared("retrieve", round((clock.now_s() - began_s) * 1000, 3)))
        note = runtime.context.memory.restore(state.get("memory"), state["messages"])
        return {"passages": passages} if note is None else {"passages": passages, "memory": note}

    def before(self, prepare: Prepare) -> Prepare:
        """`prepare`, for a state that has not been through the node yet."""

        async def prepared(state: State, call: CallContext) -> None:
            try:
                passages = call.known(await self._passages(state["messages"]))
            except Exception as error:  # noqa: BLE001 - the turn itself will say so
                logger.debug(f"nothing is looked up ahead of time: {error}")
                return
            await prepare({**state, "passages": passages}, call)

        return prepared

    async def _passages(self, messages: Sequence[AnyMessage]) -> str:
        question, after = question_of(messages)
        if self._retriever is None or not question.strip():
            return ""
        async with asyncio.timeout(RETRIEVE_S):
            found = await self._retriever.passages(question, after=after, limit=PASSAGES)
        return shown(found, self._limit)


def briefed(agent: Agent, tools: Sequence[Mapping[str, Any]] = ()) -> tuple[str, Recall]:
    """The system message of an agent, and what it looks up besides. `tools` are those it is offered with each request.

    Raises BadInput for knowledge that cannot be read, and when the prompt leaves no room for a conversation.
    """
    context, documents = agent.brain.context, read(agent.brain.knowledge, agent.root)
    looked_up = not fits(documents, context)
    system, fixed = _system(agent, documents, tools, looked_up=looked_up)
    if fixed > PROMPT_SHARE * context and documents and not looked_up:
        looked_up = True
        system, fixed = _system(agent, documents, tools, looked_up=True)
    if fixed > PROMPT_SHARE * context:
        raise BadInput(
            f"brain.context: the prompt and the tools take about {fixed} of {context} tokens, which leaves no room for "
            f"a conversation. Set 'context' to {round(fixed / PROMPT_SHARE / 500 + 1) * 500} or more, if the model "
            "takes that many, or shorten the prompt."
        )
    return system, Recall(context, WordRetriever(documents, agent.language) if looked_up else None)


def _system(
    agent: Agent, documents: Sequence[Document], tools: Sequence[Mapping[str, Any]], *, looked_up: bool
) -> tuple[str, int]:
    """The system message, and the tokens that it and the tools take."""
    system = system_prompt(agent.brain.prompt, agent.language, documents, looked_up=looked_up)
    return system, estimated_tokens(system) + tool_tokens(tools)
