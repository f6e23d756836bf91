"""A ReAct agent as LangGraph's documentation builds one, with a tool that asks before it acts.

Nothing here knows voicebot. The model is a scripted one, so that no key is needed: it reads what it is asked and calls
tools, streaming its words, as a hosted one would.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt

BOOKED: list[tuple[str, str]] = []
ASKED: list[str] = []


class Receptionist(BaseChatModel):
    """Looks up tables and books them, when it is asked to."""

    @property
    def _llm_type(self) -> str:
        return "receptionist"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[tool.name for tool in tools])

    def _think(self, messages: list[BaseMessage]) -> tuple[str, list[dict[str, Any]]]:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            return f"{last.text} Is there anything else I can do for you today?", []
        assert isinstance(last, HumanMessage)
        asked = last.text.lower()
        if day := re.search(r"monday|tuesday|wednesday", asked):
            args = {"day": day[0].title(), "time": "noon"}
            name = "book_table" if "book" in asked else "find_table"
            count = sum(isinstance(message, AIMessage) for message in messages)
            return "One moment please.", [{"name": name, "args": args, "id": f"call_{count}", "type": "tool_call"}]
        return "We are open from eight in the morning to ten at night, every day but Sunday.", []

    def _chunks(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        text, calls = self._think(messages)
        for piece in re.findall(r"\s*\S+", text):
            yield AIMessageChunk(content=piece)
        for index, call in enumerate(calls):
            args = str(call["args"]).replace("'", '"')
            yield AIMessageChunk(
                content="", tool_call_chunks=[{**call, "args": args, "index": index, "type": "tool_call_chunk"}]
            )
        yield AIMessageChunk(content="", chunk_position="last")

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        text, calls = self._think(messages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text, tool_calls=calls))])

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks(messages):
            yield ChatGenerationChunk(message=chunk)


@tool
def find_table(day: str, time: str) -> str:
    """Look up whether a table is free."""
    return f"There is a table on {day} at {time}."


@tool
def book_table(day: str, time: str) -> str:
    """Book a table. Asks the guest before it does."""
    ASKED.append(day)
    answer = interrupt(f"Shall I book a table on {day} at {time}?")
    if not answer.lower().startswith("yes"):
        return f"I have not booked it, because you said {answer}."
    BOOKED.append((day, time))
    return f"Your table is booked on {day} at {time}."


TOOLS = [find_table, book_table]
MODEL = Receptionist().bind_tools(TOOLS)


async def call_model(state: MessagesState) -> dict[Literal["messages"], list[AIMessage]]:
    system = SystemMessage("You are the receptionist of a restaurant.")
    return {"messages": [await MODEL.ainvoke([system, *state["messages"]])]}


builder = StateGraph(MessagesState)
builder.add_node("call_model", call_model)
builder.add_node("tools", ToolNode(TOOLS))
builder.add_edge(START, "call_model")
builder.add_conditional_edges("call_model", tools_condition, ["tools", END])
builder.add_edge("tools", "call_model")
graph = builder.compile()
