"""The node in which a language model answers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, SystemMessage
from langgraph.runtime import Runtime
from langgraph.types import StreamWriter

from voicebot.agent import Agent
from voicebot.brain.apology import apology
from voicebot.brain.asking import Request
from voicebot.brain.graph import TOOL_ROUNDS, CallContext, State, Words, this_turn
from voicebot.brain.history import calls
from voicebot.brain.tools import Toolbox, hand_over_words


class Responder:
    """How an agent answers whose brain is a language model."""

    def __init__(self, agent: Agent, system: str, toolbox: Toolbox) -> None:
        self._agent = agent
        self._system = SystemMessage(system)
        self._toolbox = toolbox
        self._tools = toolbox.schemas

    async def respond(self, state: State, runtime: Runtime[CallContext]) -> dict[str, Sequence[AnyMessage]]:
        """The node."""
        turn = this_turn(state["messages"])
        if words := hand_over_words(self._agent.handoff, turn):
            return {"messages": [AIMessage(words, id=f"answer-{uuid4().hex}")]}
        call = runtime.context
        request = self._request(state, call)
        answers = await request.answered(await call.llms(), runtime.stream_writer, call.ahead)
        return {"messages": self._with_words(turn, answers, runtime.stream_writer)}

    def _with_words(
        self, turn: Sequence[AnyMessage], answers: Sequence[AIMessage], write: StreamWriter
    ) -> Sequence[AIMessage]:
        """The answers; a model that says nothing and calls a tool says what the agent file has it say then."""
        spoke = any(message.text.strip() for message in [*turn, *answers] if isinstance(message, AIMessage))
        called = [name for message in answers for _, name in calls(message)]
        words = next(filter(None, (self._toolbox.manner(name).say for name in called)), "")
        if spoke or not words:
            return answers
        *before, last = answers
        write(Words(last.id or "", words))
        return [*before, last.model_copy(update={"content": words})]

    async def warm(self, state: State, call: CallContext) -> None:
        """Have the model read what the first request of the call will begin with."""
        llm = (await call.llms())[0]
        if llm.warm:
            await llm.warm(llm.shaped(self._request(state, call).sent), self._tools)

    async def prepare(self, state: State, call: CallContext) -> None:
        """Ask already what `respond` would ask in this state, of the model that it would ask first."""
        await self._request(state, call).begin((await call.llms())[0], call.ahead)

    def _request(self, state: State, call: CallContext) -> Request:
        """What is asked in this state: the same whenever it is asked, so that it can be asked ahead of time."""
        messages = state["messages"]
        rounds = sum(isinstance(message, AIMessage) for message in this_turn(messages))
        return Request(
            call.memory.fitted(self._system, messages, tools=self._tools, aside=state.get("passages", "")),
            self._tools,
            tools_allowed=bool(self._tools) and rounds < TOOL_ROUNDS,
            patience_s=self._agent.brain.patience,
            used_ids={id_ for message in messages if isinstance(message, AIMessage) for id_, _ in calls(message)},
            sorry=apology(self._agent.language),
        )
