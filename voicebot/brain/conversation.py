"""The turns of one call over its thread: running the graph, stopping it, asking what it asks, keeping memory true.

The graph runs in a task that the turn owns. Closing a reply stops it, which closes the connection to the model; tools
that have started go on, and their results are in the conversation before the next reply begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Protocol
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.errors import GraphDrained, GraphRecursionError, is_invalid_resume
from loguru import logger

from voicebot.brain import Failed, Moved, Output, Say
from voicebot.brain.apology import APOLOGY, apology
from voicebot.brain.questions import Questions, Unclear
from voicebot.brain.thread import Thread, asks
from voicebot.brain.turn import INTERRUPT, Turn


class Begin(Protocol):
    """Makes a turn of the right kind."""

    def __call__(self, *first: AnyMessage, goes_on: Turn | None = None) -> Turn: ...


class NoWords(Exception):
    """The graph came to its end and had nothing to say."""

    def __str__(self) -> str:
        return "it ended without a word."


class Conversation:
    """One call's. `context` is what the nodes get of the call in a turn; `name` is who fails when the graph does."""

    def __init__(self, thread: Thread, begin: Begin, name: str, language: str, context: Callable[[Turn], Any]) -> None:
        self.thread = thread
        self.turns: list[Turn] = []
        """Those that are not settled in memory yet: usually the last one only."""
        self.flow: dict[str, Any] = {}
        self.questions: Questions | None = None
        """What the graph waits for."""
        self._begin = begin
        self._name = name
        self._language = language
        self._context = context
        self._running: Turn | None = None
        self._failures: list[Output] = []

    async def greet(self, *messages: AnyMessage) -> None:
        """The conversation begins with these."""
        turn = self._new(*messages)
        await self._saved(self.thread.write({"messages": list(messages)}))
        turn.complete = True

    async def begin_with(self, messages: Sequence[AnyMessage], update: dict[str, Any]) -> None:
        """Begin, or go on, with another brain's conversation, and with what else the graph shall know."""
        self.turns.clear()
        self.questions = None
        await self.thread.write({**update, "messages": list(messages)})

    async def reply(self, *caller: AnyMessage) -> AsyncGenerator[Output, None]:
        """Settle what was before, and answer the caller's words."""
        turn = self._new(*caller)
        async for output in self._settle(turn):
            yield output
        async with aclosing(self._run(turn, None)) as outputs:
            async for output in outputs:
                yield output

    async def say(self, words: str, *caller: AnyMessage) -> AsyncGenerator[Output, None]:
        """Say these words without the graph, in answer to the caller's if any, and ask again what it waits for."""
        if self.questions:
            yield self._new(goes_on=self.turns[-1]).ask(f"{words} {self.questions.current}")
            return
        answer = AIMessage(words, id=f"said-{uuid4().hex}")
        turn = self._new(*caller, answer)
        async for output in self._settle(turn):
            yield output
        await self._saved(self.thread.add(*caller, answer))
        turn.complete = True
        yield Say(words)

    async def answer(self, words: str, caller: Callable[[], Sequence[AnyMessage]]) -> AsyncGenerator[Output, None]:
        """Take the caller's words for the answer to what the graph asks, and go on with it; or ask again.

        `caller` are the words as messages, for a graph that shall not go on with what it was at.
        """
        assert self.questions
        last, questions = self.turns[-1], self.questions
        is_done = self._is_clear(last, words) and questions.is_done
        if is_done and questions.is_refused:
            self.questions = None
            goes_on = self.reply(*caller())
        elif is_done:
            self.questions = None
            goes_on = self._run(self._new(goes_on=last), [questions.resume()])
        else:
            yield self._new(goes_on=last).ask(questions.current)
            return
        async with aclosing(goes_on) as outputs:
            async for output in outputs:
                yield output

    def _is_clear(self, asking: Turn, words: str) -> bool:
        """Whether the words are an answer. Not if the caller has not heard the question."""
        assert self.questions
        if not words.strip() or not asking.was_asked:
            return False
        try:
            self.questions.answer(words)
        except Unclear:
            return False
        return True

    async def hear(self, text: str, *, interrupted: bool) -> None:
        """Of each reply the first report counts: after it, the reply is over."""
        if interrupted:
            await self.stop()
        if not self.turns or self.turns[-1].was_heard:
            return
        turn = self.turns[-1]
        turn.hear(text, interrupted)
        # Behind a turn whose tool still runs it is put right in its order, later. What waits for an answer stays as it
        # is: LangGraph forgets the question when the thread is written to.
        behind = any(each.jobs.running for each in self.turns[:-1])
        if not behind and not self.questions and not turn.works:
            await self._put_right(self.turns)
        self.thread.keep()

    async def stop(self) -> None:
        """End the running reply, if any."""
        if self._running:
            await self._running.stop()
            self._running = None

    async def finish(self) -> list[Output]:
        """Stop, and let tools that have started finish. Returns what they did."""
        await self.stop()
        late: list[Output] = []
        for turn in self.turns:
            await turn.finish()
            late += turn.untold()
        return [*late, *self._failed()]

    def _new(self, *first: AnyMessage, goes_on: Turn | None = None) -> Turn:
        turn = self._begin(*first, goes_on=goes_on)
        self.turns.append(turn)
        return turn

    async def _settle(self, turn: Turn) -> AsyncGenerator[Output, None]:
        """Bring the turns before `turn` to an end in memory. Puts out what their tools did meanwhile."""
        earlier = self.turns[: self.turns.index(turn)]
        for each in earlier:
            await each.finish()
            for output in each.untold():
                yield output
        if not all(each.is_right for each in earlier):
            await self._put_right(earlier)
            self.thread.keep()
        self.turns = [each for each in self.turns if each not in earlier]
        for failed in self._failed():
            yield failed

    def _failed(self) -> list[Output]:
        """What the call has not been told of yet."""
        failures, self._failures = [*self._failures, *self.thread.untold()], []
        return failures

    async def _put_right(self, turns: Sequence[Turn]) -> None:
        await self._saved(self.thread.put_right(turns))
        for turn in turns:
            turn.is_right = turn.was_heard and not turn.jobs.running

    async def _saved(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a checkpointer that fails must not end the call
            logger.opt(exception=error).error("the conversation cannot be saved")
            told = f"{type(error).__name__}: {error}"
            self._failures.append(Failed(self._name, told, "its memory may be wrong", "store"))

    async def _run(self, turn: Turn, resumed: list[Any] | None) -> AsyncGenerator[Output, None]:
        """Run the graph on what the turn begins with, or go on with it as it was `resumed`."""
        outputs: asyncio.Queue[Output | None] = asyncio.Queue()
        turn.run = asyncio.create_task(self._work(turn, resumed, outputs), name="brain")
        self._running = turn
        try:
            while (output := await outputs.get()) is not None:
                turn.told(output)
                yield output
            for ending in turn.endings if turn.complete else ():
                yield ending
        finally:
            await turn.stop()

    async def _work(self, turn: Turn, resumed: list[Any] | None, outputs: asyncio.Queue[Output | None]) -> None:
        try:
            if await self._stream(turn, resumed, outputs):
                await self._ask(turn, outputs)
            elif turn.owes_words:
                raise NoWords
            else:
                for each in self.turns:  # with those that waited for this one
                    each.complete = True
        except GraphDrained:
            pass  # it was stopped between two steps
        except Exception as error:  # noqa: BLE001 - whatever fails in a graph, the call goes on
            if is_invalid_resume(error):
                await self._ask(turn, outputs)
            else:
                for output in self._apologise(turn, error):
                    outputs.put_nowait(output)
        finally:
            outputs.put_nowait(None)

    async def _stream(self, turn: Turn, resumed: list[Any] | None, outputs: asyncio.Queue[Output | None]) -> bool:
        """Run it, and say what it says. True when it waits for an answer."""
        waits = False
        given = resumed[0] if resumed else {"messages": await self.thread.taken(turn)}
        how = turn.how(self._context(turn))
        async with aclosing(self.thread.run(given, **how)) as parts:
            async for namespace, mode, part in parts:
                waits = waits or asks(mode, part)
                for output in turn.take(mode, part, namespace):
                    outputs.put_nowait(output)
                if turn.flow is not None:
                    self.flow = turn.flow
        for output in turn.end():
            outputs.put_nowait(output)
        return waits

    async def _ask(self, turn: Turn, outputs: asyncio.Queue[Output | None]) -> None:
        state = await self.thread.state()
        self.questions = Questions(state.interrupts, self._language)
        outputs.put_nowait(Moved(INTERRUPT, {"question": self.questions.current, "nodes": list(state.next)}))
        outputs.put_nowait(turn.ask(self.questions.current))

    def _apologise(self, turn: Turn, error: Exception) -> Iterator[Output]:
        if isinstance(error, GraphRecursionError):
            sentence = "it took too many steps without coming to an end (LangGraph's recursion limit)."
        elif isinstance(error, NoWords):
            sentence = str(error)
        else:
            logger.opt(exception=error).error("the brain failed")
            sentence = f"{type(error).__name__}: {error}"
        yield Failed(self._name, sentence, APOLOGY)
        yield from turn.take("messages", (apology(self._language), {}))
        yield from turn.end()
