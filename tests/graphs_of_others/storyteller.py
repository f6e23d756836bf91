"""A graph without tools whose model streams a story."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import END, START, MessagesState, StateGraph


def story(number: int) -> str:
    return f"This is story {number}."


class Storyteller(BaseChatModel):
    """Tells story 7 when it is asked for story 7."""

    @property
    def _llm_type(self) -> str:
        return "storyteller"

    def _text(self, messages: list[BaseMessage]) -> str:
        last = messages[-1].text.split()[-1]
        return story(int(last)) if last.isdigit() else "Yes?"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self._text(messages)))])

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in re.findall(r"\s*\S+", self._text(messages)):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))


async def tell(state: MessagesState) -> dict[str, list[AIMessage]]:
    return {"messages": [await Storyteller().ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("tell", tell)
builder.add_edge(START, "tell")
builder.add_edge("tell", END)
graph = builder.compile()
