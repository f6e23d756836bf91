"""One model's answer to one request, as it comes: words at once, tool calls when they are complete."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import aclosing
from typing import Any, cast
from uuid import uuid4

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, InvalidToolCall, ToolCall, ToolCallChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.runnables import Runnable
from langgraph.constants import TAG_NOSTREAM
from langgraph.types import StreamWriter

from voicebot import clock
from voicebot.brain.graph import Words
from voicebot.llm import LLM


class BrokenOff(Exception):
    """The answer ended before it was complete, or held nothing."""


class Answer:
    """Everything of it is said under one message id, whatever ids the server gives."""

    def __init__(self, llm: LLM, write: StreamWriter, *, tools: bool) -> None:
        """`tools`: whether it may call any; calls in an answer that must not have any are dropped."""
        self.id = f"answer-{uuid4().hex}"
        self.words = ""
        self._llm = llm
        self._write = write
        self._tools = tools
        self._chunks: list[AIMessageChunk] = []

    async def stream(self, model: Runnable[LanguageModelInput, AIMessage], sent: Sequence[BaseMessage]) -> None:
        """Ask, and write the words as they come.

        Raises what the provider raises, TimeoutError when it is silent for too long, BrokenOff. Cancelling it closes
        the connection.
        """
        loop = asyncio.get_running_loop()
        # Not streamed by LangGraph: of several attempts it would mix up the ids.
        stream = cast(AsyncGenerator[AIMessageChunk], model.astream(list(sent), config={"tags": [TAG_NOSTREAM]}))
        with clock.work():
            async with asyncio.timeout(self._llm.silence_s) as limit, aclosing(stream) as chunks:
                async for chunk in chunks:
                    if self._take(chunk):
                        limit.reschedule(loop.time() + self._llm.silence_s)
        self._check()

    def _take(self, chunk: AIMessageChunk) -> bool:
        """True when the chunk brought words or a piece of a tool call."""
        self._chunks.append(chunk)
        if text := chunk.text:
            self.words += text
            self._write(Words(self.id, text))
        return bool(text or chunk.tool_call_chunks)

    def _check(self) -> None:
        key = self._llm.complete_key
        if key and not any(chunk.response_metadata.get(key) for chunk in self._chunks):
            raise BrokenOff("the answer broke off")
        calls = self._tools and any(chunk.tool_call_chunks for chunk in self._chunks)
        if not calls and not self.words.strip():
            raise BrokenOff("the answer was empty")

    def spoken(self) -> AIMessage:
        """The words so far, and nothing else: what is left of an answer that broke off."""
        return AIMessage(self.words, id=self.id)

    def message(self, used_ids: Collection[str]) -> AIMessage:
        """The whole answer. Ids of tool calls that the conversation has used before are replaced.

        LangChain completes cut-off JSON by guessing; here a tool call is valid only if its arguments are an object.
        """
        merged = self._chunks[0] + self._chunks[1:] if len(self._chunks) > 1 else self._chunks[0]
        assert isinstance(merged, AIMessageChunk)
        message = AIMessage(self.words, id=self.id, usage_metadata=merged.usage_metadata)
        if self._tools:
            message.tool_calls, message.invalid_tool_calls = _calls(merged.tool_call_chunks, used_ids)
        return message


def _calls(chunks: Iterable[ToolCallChunk], used_ids: Collection[str]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    good: list[ToolCall] = []
    bad: list[InvalidToolCall] = []
    for chunk in chunks:
        id_ = chunk["id"]
        if not id_ or id_ in used_ids:
            id_ = f"call_{uuid4().hex[:24]}"
        name, text = chunk["name"] or "", chunk["args"] or "{}"
        arguments = _object(text)
        if arguments is None:
            bad.append(invalid_tool_call(name=name, args=text, id=id_, error="not a JSON object"))
        else:
            good.append(tool_call(name=name, args=arguments, id=id_))
    return good, bad


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
