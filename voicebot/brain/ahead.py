"""A head start: what a model is asked before it is sure that the caller's turn is over.

While it is still being decided whether the caller has finished, the request that is likely to come is sent already,
and what the model says is kept here. When the very same request comes, it goes on with that stream; when the caller
goes on instead, the connection is closed. Nothing is said, no tool runs and nothing is remembered before that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import Runnable
from langgraph.constants import TAG_NOSTREAM

from voicebot import clock
from voicebot.brain import Used
from voicebot.llm import LLM

CHUNKS = 512
"""How much of a guessed answer is kept; the model then has to wait until it is wanted."""

Model = Runnable[LanguageModelInput, AIMessage]
Stream = AsyncGenerator[AIMessageChunk]


def streamed(model: Model, sent: Sequence[BaseMessage]) -> Stream:
    """The model's answer. LangGraph does not stream it: of several attempts it would mix up the ids."""
    return cast(Stream, model.astream(list(sent), config={"tags": [TAG_NOSTREAM]}))


async def timed(llm: LLM, answer: Stream) -> Stream:
    """The same, of `llm` and for a caller who waits: how long the first token takes is told to its health."""
    asked_s: float | None = clock.now_s()
    async with aclosing(answer) as chunks:
        async for chunk in chunks:
            if asked_s is not None and (chunk.text or chunk.tool_call_chunks):
                llm.health.took(clock.now_s() - asked_s)
                asked_s = None
            yield chunk


class Ahead:
    """The head start of one call, one at a time, and what its models used that nobody was told of yet."""

    def __init__(self) -> None:
        self._guess: _Guess | None = None
        self._untold: list[Used] = []

    async def begin(self, llm: LLM, model: Model, sent: Sequence[BaseMessage], used: Callable[..., Used]) -> None:
        """Ask `model` for what will probably be asked. `used` counts what a guess cost in vain."""
        if self._guess and self._guess.answers(llm, sent):
            return
        await self.drop()
        self._guess = _Guess(llm, model, sent, used)

    async def take(self, llm: LLM, sent: Sequence[BaseMessage]) -> Stream | None:
        """The stream that answers this request, if it was guessed; any other guess is thrown away."""
        guess = self._guess
        if guess is None or not guess.answers(llm, sent):
            await self.drop()
            return None
        self._guess = None
        return guess.stream()

    async def drop(self) -> None:
        """It was not to be: hang up on the model."""
        guess, self._guess = self._guess, None
        if guess:
            await guess.stop()
            self._untold.append(guess.cost())

    def owe(self, used: Used) -> None:
        """Something was used that the call cannot be told of now."""
        self._untold.append(used)

    def settle(self) -> list[Used]:
        """What the call has to be told of."""
        untold, self._untold = self._untold, []
        return untold


class _Guess:
    def __init__(self, llm: LLM, model: Model, sent: Sequence[BaseMessage], used: Callable[..., Used]) -> None:
        self._llm = llm
        self._sent = sent
        self._used = used
        self._chunks: asyncio.Queue[AIMessageChunk | Exception | None] = asyncio.Queue(CHUNKS)
        self._seen: list[AIMessageChunk] = []
        self._task = asyncio.get_running_loop().create_task(self._run(model), name="head start")

    async def _run(self, model: Model) -> None:
        try:
            with clock.work():
                async with aclosing(timed(self._llm, streamed(model, self._sent))) as stream:
                    async for chunk in stream:
                        self._seen.append(chunk)
                        await self._chunks.put(chunk)
            await self._chunks.put(None)
        except Exception as error:  # noqa: BLE001 - whatever a provider's SDK raises is raised where it is wanted
            await self._chunks.put(error)

    def answers(self, llm: LLM, sent: Sequence[BaseMessage]) -> bool:
        return llm is self._llm and _same(self._sent, sent)

    async def stream(self) -> Stream:
        """From its first chunk on. Closing it hangs up on the model."""
        try:
            while (chunk := await self._chunks.get()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            await self.stop()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def cost(self) -> Used:
        return self._used(self._llm, self._sent, self._seen)


def _same(guessed: Sequence[BaseMessage], wanted: Sequence[BaseMessage]) -> bool:
    """The same conversation, up to the case and punctuation of the caller's last words."""
    if len(guessed) != len(wanted) or not guessed:
        return False
    *before, last = map(_gist, guessed)
    *wanted_before, wanted_last = map(_gist, wanted)
    both_human = isinstance(guessed[-1], HumanMessage) and isinstance(wanted[-1], HumanMessage)
    alike = _letters(guessed[-1].text) == _letters(wanted[-1].text) if both_human else last == wanted_last
    return alike and before == wanted_before


def _gist(message: BaseMessage) -> tuple[object, ...]:
    """What of a message a server gets to see."""
    calls = [*message.tool_calls, *message.invalid_tool_calls] if isinstance(message, AIMessage) else []
    answers = message.tool_call_id if isinstance(message, ToolMessage) else ""
    return type(message), message.text, calls, answers


def _letters(text: str) -> list[str]:
    return ["".join(letter for letter in word if letter.isalnum()) for word in text.casefold().split()]
