"""The node in which a language model answers.

A model that is silent for too long, refuses or breaks off costs the caller a moment, not the call: it is asked once
more where that may help and nothing has been said yet, then the next model is asked, and at last the agent apologises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, SystemMessage, ToolMessage
from langchain_core.runnables import Runnable
from langgraph.runtime import Runtime
from langgraph.types import StreamWriter

from voicebot.agent import Agent
from voicebot.brain import Failed
from voicebot.brain.answer import Answer
from voicebot.brain.apology import APOLOGY, apology
from voicebot.brain.graph import TOOL_ROUNDS, CallContext, Node, State, this_turn
from voicebot.brain.history import calls, for_model
from voicebot.brain.tools import HAND_OVER
from voicebot.llm import LLM, fault

RETRY_S = 0.25
"""Pause before the same model is asked again."""


def llm_node(agent: Agent, system: str, tools: list[dict[str, Any]]) -> Node:
    """The respond node of an agent whose brain is a language model. `tools` are OpenAI-shaped schemas."""

    async def respond(state: State, runtime: Runtime[CallContext]) -> dict[str, Sequence[AnyMessage]]:
        messages = state["messages"]
        turn = this_turn(messages)
        if agent.handoff and _handed_over_without_a_word(turn):
            return {"messages": [AIMessage(agent.handoff.say, id=f"answer-{uuid4().hex}")]}
        rounds = sum(isinstance(message, AIMessage) for message in turn)
        request = _Request(
            for_model(SystemMessage(system), messages),
            tools,
            tools_allowed=bool(tools) and rounds < TOOL_ROUNDS,
            used_ids={id_ for message in messages if isinstance(message, AIMessage) for id_, _ in calls(message)},
            sorry=apology(agent.language),
        )
        return {"messages": await request.answered(await runtime.context.llms(), runtime.stream_writer)}

    return respond


def _handed_over_without_a_word(turn: Sequence[AnyMessage]) -> bool:
    handed_over = any(
        isinstance(message, ToolMessage) and message.name == HAND_OVER and message.status == "success"
        for message in turn
    )
    return handed_over and not any(isinstance(message, AIMessage) and message.text.strip() for message in turn)


@dataclass(frozen=True)
class _Request:
    """What is asked of one model after the other until one answers."""

    sent: Sequence[BaseMessage]
    tools: list[dict[str, Any]]
    tools_allowed: bool
    used_ids: set[str]
    sorry: AIMessage

    async def answered(self, llms: Sequence[LLM], write: StreamWriter) -> Sequence[AIMessage]:
        """The answer of the first model that gives one, or an apology."""
        for llm, following in zip(llms, [*llms[1:], None], strict=True):
            for again in (True, False):
                answer = Answer(llm, write, tools=self.tools_allowed)
                try:
                    await answer.stream(self._model(llm), self.sent)
                    return [answer.message(self.used_ids)]
                except Exception as error:  # noqa: BLE001  # whatever a provider's SDK raises, the call goes on
                    why = fault(error, llm)
                if answer.words:
                    write(Failed(llm.name, why.sentence, APOLOGY))
                    return [answer.spoken(), self.sorry]
                if not (again and why.passing):
                    break
                write(Failed(llm.name, why.sentence, "asked again"))
                await asyncio.sleep(RETRY_S)
            write(Failed(llm.name, why.sentence, f"next: {following.name}" if following else APOLOGY))
        return [self.sorry]

    def _model(self, llm: LLM) -> Runnable[LanguageModelInput, AIMessage]:
        if not self.tools:
            return llm.model
        return llm.model.bind_tools(self.tools, tool_choice="auto" if self.tools_allowed else "none")
