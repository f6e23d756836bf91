"""The engine as a LangChain chat model."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from voicebot import clock
from voicebot.llm.llama import calls
from voicebot.llm.llama.calls import CallPart
from voicebot.llm.llama.engine import Engine
from voicebot.llm.llama.request import Ask, Finished, Piece, Words

MOST_TOKENS = 512
"""How long an answer may get; half a page, more than anybody listens to."""
Schemas = Sequence[dict[str, Any]]
T = TypeVar("T")


class ChatLlama(BaseChatModel):
    """A model of the engine. Closing the stream stops the computing."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine = Field(exclude=True, repr=False)
    temperature: float | None = None
    max_tokens: int = MOST_TOKENS
    seed: int | None = None
    """Two requests with the same seed get the same answer. None: each gets its own."""

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **how: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """`tool_choice`: 'auto' (speak or call), 'none' (speak), 'any' (call), or the name of a tool."""
        schemas = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=schemas, tool_choice="auto" if tool_choice is None else tool_choice, **how)

    async def warm(self, messages: Sequence[BaseMessage], tools: Schemas = ()) -> None:
        """Read what every turn of a call begins with, so that the first turn need not: the messages so far, and the
        tools that will be bound."""
        await _off_the_loop(self.engine.ready.result)
        ask = await _off_the_loop(lambda: self._opening(messages, tools))
        if ask.prompt:
            async for _ in self._pieces(ask):
                pass

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        ask = await _off_the_loop(lambda: self._ask(messages, stop, **kwargs))
        async for piece in self._pieces(ask):
            chunk = _chunk(piece)
            if run_manager and chunk.text:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _pieces(self, ask: Ask) -> AsyncIterator[Piece]:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Piece | Exception] = asyncio.Queue()  # bounded by the length of an answer

        def deliver(piece: Piece | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens any more
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        request = self.engine.submit(ask, deliver)
        piece: Piece | Exception | None = None
        try:
            while not isinstance(piece, Finished):
                with clock.work():
                    piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            if not isinstance(piece, Finished):
                self.engine.cancel(request)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        pieces: queue.SimpleQueue[Piece | Exception] = queue.SimpleQueue()
        request = self.engine.submit(self._ask(messages, stop, **kwargs), pieces.put)
        piece: Piece | Exception | None = None
        try:
            while not isinstance(piece, Finished):
                piece = pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield _chunk(piece)
        finally:
            if not isinstance(piece, Finished):
                self.engine.cancel(request)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _ask(
        self,
        messages: Sequence[BaseMessage],
        stop: Sequence[str] | None = None,
        *,
        tools: Schemas = (),
        tool_choice: object = "auto",
        temperature: float | None = None,
        max_tokens: int | None = None,
        **_: Any,
    ) -> Ask:
        """The request as the engine takes it. Options that belong to other providers are passed over."""
        ready = self.engine.ready.result()
        prompt = ready.weights.tokens(ready.template.render(messages, tools))
        seed = random.getrandbits(31) if self.seed is None else self.seed
        warmth = self.temperature if temperature is None else temperature
        wanted = calls.tools(tools, tool_choice, ready.template.syntax)
        return Ask(prompt, max_tokens or self.max_tokens, wanted, tuple(stop or ()), warmth, seed)

    def _opening(self, messages: Sequence[BaseMessage], tools: Schemas) -> Ask:
        """Up to where the next words of the caller will be: what two conversations with other words have in common."""
        ready = self.engine.ready.result()
        one, other = (
            ready.weights.tokens(ready.template.render([*messages, HumanMessage(words)], tools)) for words in ("A", "Z")
        )
        same = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
        return Ask(one[:same], most_tokens=0)


def _chunk(piece: Piece) -> ChatGenerationChunk:
    if isinstance(piece, Words):
        return ChatGenerationChunk(message=AIMessageChunk(content=piece.text))
    if isinstance(piece, CallPart):
        part = tool_call_chunk(name=piece.name or None, args=piece.arguments, id=piece.id or None, index=piece.index)
        return ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[part]))
    usage = UsageMetadata(
        input_tokens=piece.prompt_tokens,
        output_tokens=piece.answer_tokens,
        total_tokens=piece.prompt_tokens + piece.answer_tokens,
        input_token_details=InputTokenDetails(cache_read=piece.cached_tokens),
    )
    message = AIMessageChunk(
        content="", usage_metadata=usage, response_metadata={"finish_reason": piece.reason}, chunk_position="last"
    )
    return ChatGenerationChunk(message=message, generation_info={"finish_reason": piece.reason})


async def _off_the_loop(job: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, job)
