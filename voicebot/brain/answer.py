"""An answer as it comes: words at once, tool calls when they are complete.

An `Answer` is what the caller gets, under one message id; an `Attempt` is one model's work at it. When a model breaks
off in the middle, the next attempt goes on with the same answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCall, ToolCallChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langgraph.types import StreamWriter

from voicebot import clock
from voicebot.brain.graph import Words
from voicebot.brain.seam import Seam
from voicebot.llm import LLM


class BrokenOff(Exception):
    """The answer ended before it was complete, or held nothing."""


class Answer:
    """Said under one message id, whatever ids the servers give and however many models it takes."""

    def __init__(self, write: StreamWriter) -> None:
        self.id = f"answer-{uuid4().hex}"
        self.words = ""
        self._write = write

    def say(self, text: str) -> None:
        if text:
            self.words += text
            self._write(Words(self.id, text))

    @property
    def is_whole(self) -> bool:
        """The words so far end a sentence, so that nothing need follow."""
        return self.words.rstrip()[-1:] in tuple(".!?…")

    def spoken(self) -> AIMessage:
        """The words so far, and nothing else."""
        return AIMessage(self.words, id=self.id)


class Attempt:
    """What one model contributes to an answer."""

    def __init__(self, llm: LLM, answer: Answer, *, tools: bool) -> None:
        """`tools`: whether it may call any; calls in an answer that must not have any are dropped."""
        self.chunks: list[AIMessageChunk] = []
        self._llm = llm
        self._answer = answer
        self._tools = tools
        self._seam = Seam(answer.words) if answer.words else None

    async def take(self, stream: AsyncGenerator[AIMessageChunk], first_s: float, between_s: float) -> None:
        """Say the words as they come. The model may be silent for `first_s` before them and `between_s` in them.

        Raises what the provider raises, TimeoutError when it is silent for too long, BrokenOff. Cancelling it closes
        the connection.
        """
        loop = asyncio.get_running_loop()
        with clock.work():
            async with asyncio.timeout(first_s) as limit, aclosing(stream) as chunks:
                async for chunk in chunks:
                    self.chunks.append(chunk)
                    if chunk.text or chunk.tool_call_chunks:
                        self._say(chunk.text)
                        limit.reschedule(loop.time() + between_s)
        self._check()
        if self._seam:
            self._answer.say(self._seam.end())

    @property
    def began(self) -> bool:
        """There was something of an answer."""
        return any(chunk.text or chunk.tool_call_chunks for chunk in self.chunks)

    def _say(self, text: str) -> None:
        self._answer.say(self._seam.feed(text) if self._seam else text)

    def _check(self) -> None:
        key = self._llm.complete_key
        if key and not any(chunk.response_metadata.get(key) for chunk in self.chunks):
            raise BrokenOff("the answer broke off")
        calls = self._tools and any(chunk.tool_call_chunks for chunk in self.chunks)
        if not calls and not any(chunk.text.strip() for chunk in self.chunks) and not self._answer.is_whole:
            raise BrokenOff("the answer was empty")

    def message(self, used_ids: Collection[str]) -> AIMessage:
        """The whole answer. Ids of tool calls that the conversation has used before are replaced.

        LangChain completes cut-off JSON by guessing; here a tool call is valid only if its arguments are an object.
        """
        merged = self.chunks[0] + self.chunks[1:] if len(self.chunks) > 1 else self.chunks[0]
        assert isinstance(merged, AIMessageChunk)
        message = self._answer.spoken()
        message.usage_metadata = merged.usage_metadata
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
