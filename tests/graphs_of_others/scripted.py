"""A chat model that says what it is told to, streaming word by word."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

Says = Callable[[Sequence[BaseMessage]], str | AIMessage]


class Scripted(BaseChatModel):
    """`says` makes the answer from the conversation; `word_s` is the time between two words."""

    says: Says
    word_s: float = 0.0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(**{key: kwargs[key] for key in kwargs if key == "ls_structured_output_format"})

    def _answer(self, messages: list[BaseMessage]) -> AIMessage:
        said = self.says(messages)
        return said if isinstance(said, AIMessage) else AIMessage(said)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        answer = self._answer(messages)
        if isinstance(answer.content, list):
            for block in answer.content:
                yield ChatGenerationChunk(message=AIMessageChunk(content=[{**block, "index": 0}]))  # type: ignore[dict-item]  # blocks are open
        else:
            for piece in re.findall(r"\s*\S+", answer.content):
                await asyncio.sleep(self.word_s)
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        for index, call in enumerate(answer.tool_calls):
            chunk = {**call, "args": json.dumps(call["args"]), "index": index, "type": "tool_call_chunk"}
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[chunk]))
        yield ChatGenerationChunk(message=AIMessageChunk(content="", chunk_position="last"))


def call(name: str, id_: str = "1", **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": id_, "type": "tool_call"}
