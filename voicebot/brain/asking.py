"""Who is asked for an answer, in which order, and what becomes of the answer when one fails.

A model that is silent for too long, refuses or breaks off costs the caller a moment, not the call. It is asked once
more where that may help, then the next model is asked, and at last the agent apologises. When the caller has words of
the answer already, the next model goes on from there. A model that fails again and again is left alone for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langgraph.types import StreamWriter

from voicebot.brain import Failed, Used
from voicebot.brain.ahead import Ahead, Model, Stream, streamed, timed
from voicebot.brain.answer import Answer, Attempt
from voicebot.brain.apology import APOLOGY
from voicebot.brain.usage import used
from voicebot.llm import LLM, Fault, fault

RETRY_S = 0.25
"""Pause before the same model is asked again."""
GO_ON = (
    "[The line broke off after your last words above; the caller heard them. "
    "Go on from the very next word. Do not repeat them, and do not mention this.]"
)
"""Stands behind the words of a model that broke off, for the one that goes on. On the caller's side, because some
servers take no conversation that ends with an assistant's words."""


@dataclass(frozen=True)
class Request:
    """What is asked of one model after the other until one answers."""

    sent: Sequence[BaseMessage]
    tools: list[dict[str, Any]]
    """OpenAI-shaped schemas."""
    tools_allowed: bool
    patience_s: float
    """How long a model may be silent while another one can be asked."""
    used_ids: set[str]
    """Ids of tool calls that the conversation has already."""
    sorry: AIMessage

    async def begin(self, llm: LLM, ahead: Ahead) -> None:
        """Ask for the answer before it is sure that it will be wanted."""
        if llm.health.closed:
            await ahead.begin(llm, self.model(llm), llm.shaped(self.sent), self.used)

    async def answered(self, llms: Sequence[LLM], write: StreamWriter, ahead: Ahead) -> Sequence[AIMessage]:
        """The answer of the first model that gives one, or an apology."""
        answer = Answer(write)
        asked = False
        for llm, following in zip(llms, [*llms[1:], None], strict=True):
            if not llm.health.allows() and not (llm.health.merely_slow and len(llms) == 1):
                remedy = _remedy(following, APOLOGY if asked else f"next: {llms[0].name}")
                write(Failed(llm.name, f"not asked: {llm.health.why}.", remedy))
                continue
            asked = True
            if message := await _Asking(self, llm, following, answer, write, ahead).message():
                return [message]
        if not asked and (message := await _Asking(self, llms[0], None, answer, write, ahead).message()):
            return [message]
        return [answer.spoken(), self.sorry] if answer.words else [self.sorry]

    def model(self, llm: LLM) -> Model:
        if not self.tools:
            return llm.model
        return llm.model.bind_tools(self.tools, tool_choice="auto" if self.tools_allowed else llm.no_tools)

    def used(self, llm: LLM, sent: Sequence[BaseMessage], chunks: Sequence[AIMessageChunk]) -> Used:
        return used(llm, sent, self.tools, chunks)


@dataclass(frozen=True)
class _Asking:
    """One model's turn to answer."""

    request: Request
    llm: LLM
    following: LLM | None
    answer: Answer
    write: StreamWriter
    ahead: Ahead

    async def message(self) -> AIMessage | None:
        """Its answer, at the second attempt if need be; None when it gave none."""
        attempt, why = await self._attempted()
        if why and (why.passing or (attempt.began and not self.following)):
            self.write(Failed(self.llm.name, why.sentence, "asked again"))
            await asyncio.sleep(RETRY_S)
            attempt, why = await self._attempted()
        if why is None:
            return attempt.message(self.request.used_ids)
        self.write(Failed(self.llm.name, why.sentence, _remedy(self.following, APOLOGY)))
        return None

    async def _attempted(self) -> tuple[Attempt, Fault | None]:
        attempt = Attempt(self.llm, self.answer, tools=self.request.tools_allowed)
        return attempt, await self._fault(attempt)

    async def _fault(self, attempt: Attempt) -> Fault | None:
        """What was wrong with it; None when it answered."""
        sent = self._sent()
        patience_s = min(self.llm.silence_s, self.request.patience_s)
        first_s = patience_s if self.following else self.llm.silence_s
        try:
            await attempt.take(await self._stream(sent), first_s, patience_s)
        except asyncio.CancelledError:  # nobody listens to `write` any more
            self.ahead.owe(self._used(sent, attempt))
            raise
        except Exception as error:  # noqa: BLE001 - whatever a provider's SDK raises, the call goes on
            why = fault(error, self.llm, patience_s if attempt.began else first_s)
            if not why.ours:
                self.llm.health.failed()
            if attempt.chunks or isinstance(error, TimeoutError):
                self.write(self._used(sent, attempt))
            return why
        self.llm.health.succeeded()
        self.write(self._used(sent, attempt))
        return None

    def _sent(self) -> list[BaseMessage]:
        go_on = [self.answer.spoken(), HumanMessage(GO_ON)] if self.answer.words else []
        return self.llm.shaped([*self.request.sent, *go_on])

    async def _stream(self, sent: Sequence[BaseMessage]) -> Stream:
        return await self.ahead.take(self.llm, sent) or timed(self.llm, streamed(self.request.model(self.llm), sent))

    def _used(self, sent: Sequence[BaseMessage], attempt: Attempt) -> Used:
        return self.request.used(self.llm, sent, attempt.chunks)


def _remedy(following: LLM | None, last: str) -> str:
    return f"next: {following.name}" if following else last
