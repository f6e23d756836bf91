"""Asks language models on behalf of a flow: one after the other, until one says something of use, or none does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from langchain_core.messages import AIMessageChunk, BaseMessage
from langgraph.types import StreamWriter

from voicebot.brain import Failed, Used
from voicebot.brain.ahead import Model, streamed, timed
from voicebot.brain.graph import CallContext
from voicebot.brain.usage import used
from voicebot.flow import Flow
from voicebot.llm import LLM, fault

from .claims import UNDERSTOOD, Claims, understood
from .reading import Reading, Rewording, Understanding, Unreadable
from .speakable import Speakable

ALONE = "the flow alone"
"""The remedy that a `Failed` output names when no model is left."""


class Interpreter:
    """What asking needs of one flow; shared by all calls."""

    def __init__(self, flow: Flow, patience_s: float) -> None:
        """`patience_s` is how long a model may be silent until the next one is asked, or the flow answers alone."""
        self.patience_s = patience_s
        self._flow = flow
        self.tools = [understood(flow)]
        self._speakable = Speakable(flow)
        self._unforced: set[str] = set()
        """Models that refuse to be told which tool to call."""

    async def begin(self, call: CallContext, sent: Sequence[BaseMessage]) -> None:
        """Ask the first model to understand before it is sure that the caller has finished."""
        llm = (await call.llms())[0]
        if llm.health.closed:
            await call.ahead.begin(llm, self.model(llm, understands=True), llm.shaped(sent), self.count)

    async def understand(
        self, call: CallContext, sent: Sequence[BaseMessage], write: StreamWriter, take: Callable[[Claims], None]
    ) -> None:
        """`take` gets what was understood, with more and more of the model's words; not at all when all models fail."""
        reading = partial(Understanding, self._flow, self._speakable, take)
        await self._ask(_Request(self, call, sent, write, understands=True), reading)

    async def word(
        self, call: CallContext, sent: Sequence[BaseMessage], write: StreamWriter, take: Callable[[str], None]
    ) -> None:
        """`take` gets a question in a model's words; not at all when all models fail."""
        reading = partial(Rewording, self._speakable, take)
        await self._ask(_Request(self, call, sent, write, understands=False), reading)

    async def _ask(self, request: _Request, new_reading: Callable[[], Reading]) -> None:
        try:
            llms = await request.call.llms()
        except Exception as error:  # noqa: BLE001 - whatever keeps the models from being opened, the flow goes on
            request.write(Failed("llm", f"no model could be opened: {error}", ALONE))
            return
        for llm, following in zip(llms, [*llms[1:], None], strict=True):
            reading = new_reading()
            why = await request.put(llm, reading)
            if why is None:
                return
            heir = None if reading.taken else following
            request.write(Failed(llm.name, why, f"next: {heir.name}" if heir else ALONE))
            if heir is None:
                return

    def model(self, llm: LLM, *, understands: bool) -> Model:
        """`understands`: it must call the tool; otherwise it must not, but still gets it: it stands in what providers
        keep of earlier requests."""
        forced = "auto" if llm.name in self._unforced else UNDERSTOOD
        return llm.model.bind_tools(self.tools, tool_choice=forced if understands else llm.no_tools)

    def may_force_no_more(self, llm: LLM, error: Exception) -> bool:
        """Whether it refused only to be told which tool to call; from now on it is not told."""
        new = "tool_choice" in str(error) and llm.name not in self._unforced
        self._unforced |= {llm.name} if new else set()
        return new

    def count(self, llm: LLM, sent: Sequence[BaseMessage], chunks: Sequence[AIMessageChunk]) -> Used:
        return used(llm, sent, self.tools, chunks)


@dataclass(frozen=True)
class _Request:
    """What is asked of one model after the other."""

    interpreter: Interpreter
    call: CallContext
    sent: Sequence[BaseMessage]
    write: StreamWriter
    understands: bool

    async def put(self, llm: LLM, reading: Reading) -> str | None:
        """Why the model gave no answer, as a sentence, or None."""
        if not llm.health.allows():
            return f"not asked: {llm.health.why}."
        patience_s = min(llm.silence_s, self.interpreter.patience_s)
        sent = llm.shaped(self.sent)
        try:
            model = self.interpreter.model(llm, understands=self.understands)
            await reading.read(await self.call.ahead.take(llm, sent) or timed(llm, streamed(model, sent)), patience_s)
        except asyncio.CancelledError:  # nobody listens to `write` any more
            self.call.ahead.owe(self.interpreter.count(llm, sent, reading.chunks))
            raise
        except Exception as error:  # noqa: BLE001 - whatever a provider's SDK raises, the flow goes on
            if self.interpreter.may_force_no_more(llm, error):
                return await self.put(llm, reading)
            return self._why(error, llm, reading, patience_s)
        llm.health.succeeded()
        self.write(self.interpreter.count(llm, sent, reading.chunks))
        return None

    def _why(self, error: Exception, llm: LLM, reading: Reading, patience_s: float) -> str:
        why = fault(error, llm, patience_s)
        if not why.ours:
            llm.health.failed()
        if reading.chunks or isinstance(error, TimeoutError):
            self.write(self.interpreter.count(llm, llm.shaped(self.sent), reading.chunks))
        return str(error) if isinstance(error, Unreadable) else why.sentence
