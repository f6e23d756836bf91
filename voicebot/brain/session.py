"""The brain of one call: a thread of the agent's graph, and the conversation kept true to what the caller heard.

The graph runs in a task that this call owns. Closing a reply cancels it, which closes the connection to the model;
tools that have started go on, and their results are in the conversation before the next reply begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphRecursionError
from langgraph.types import StreamMode
from loguru import logger

from voicebot.brain import Failed, Output, Say
from voicebot.brain.apology import APOLOGY, apology
from voicebot.brain.graph import RESPOND, STEP_LIMIT, CallContext, Graph, State
from voicebot.brain.jobs import Jobs
from voicebot.brain.tools import Toolbox
from voicebot.brain.turn import Turn
from voicebot.llm import LLM

MODES: list[StreamMode] = ["custom", "messages", "updates"]
Settles = Callable[[dict[str, Any], str], bool]
"""(flow state, what the caller has said so far) -> whether that surely answers the open question."""
Connect = Callable[[], Awaitable[Sequence[LLM]]]


@dataclass(frozen=True)
class Mind:
    """What all calls of an agent share."""

    graph: Graph
    toolbox: Toolbox
    language: str
    greeting: str | None = None
    settles: Settles = lambda _flow, _text: False


class GraphBrain:
    """A `voicebot.brain.Brain`. `connect` opens the language models; it is called once, when they are first needed."""

    def __init__(self, mind: Mind, call_id: str, name: str, connect: Connect) -> None:
        self.name = name
        self._mind = mind
        self._connect = connect
        self._llms: Sequence[LLM] | None = None
        self._call_id = call_id
        self._config: RunnableConfig = {"configurable": {"thread_id": call_id}, "recursion_limit": STEP_LIMIT}
        self._flow: dict[str, Any] = {}
        self._open: list[Turn] = []
        """Turns whose account is not settled yet: usually the last one only."""
        self._running: asyncio.Task[None] | None = None

    async def greet(self) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`. While the caller hears it, the models are made ready."""
        if self._mind.greeting:
            turn = self._begin(AIMessage(self._mind.greeting, id=_new_id("greeting")))
            turn.complete = True
            await self._save(turn)
            yield Say(self._mind.greeting)
        await self._models()

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`. '' is a turn in which the caller was only silent."""
        human = HumanMessage(text, id=_new_id("caller"))
        turn = self._begin(human)
        async for late in self._settle_earlier(turn):
            yield late
        outputs: asyncio.Queue[Output | None] = asyncio.Queue()
        self._running = asyncio.create_task(self._run(turn, human, outputs), name="brain")
        try:
            while (output := await outputs.get()) is not None:
                turn.told(output)
                yield output
            for ending in turn.endings if turn.complete else ():
                yield ending
        finally:
            await self._stop()

    async def heard(self, text: str, *, interrupted: bool) -> None:
        """See `voicebot.brain.Brain`. Of each reply the first report counts: after it, the reply is over."""
        if interrupted:
            await self._stop()
        if not self._open or self._open[-1].was_heard:
            return
        turn = self._open[-1]
        before = turn.remembered()
        turn.hear(text, interrupted)
        changed = not turn.complete or turn.remembered() != before
        if changed and turn is self._open[0]:  # behind a turn whose tool still runs it is saved in its order, later
            await self._save(turn)

    def settles(self, text: str) -> bool:
        return self._mind.settles(self._flow, text)

    async def close(self) -> Sequence[Output]:
        """Stop, let tools that have started finish, and forget the conversation."""
        await self._stop()
        late: list[Output] = []
        for turn in self._open:
            await turn.jobs.wait()
            late += turn.untold()
        saver = cast(BaseCheckpointSaver[str], self._mind.graph.checkpointer)
        await saver.adelete_thread(self._call_id)
        return late

    async def messages(self) -> list[AnyMessage]:
        """The conversation as it is remembered now."""
        state = await self._mind.graph.aget_state(self._config)
        return list(state.values.get("messages", ()))

    def _begin(self, first: HumanMessage | AIMessage) -> Turn:
        turn = Turn(Jobs(self._mind.toolbox), first)
        self._open.append(turn)
        return turn

    async def _settle_earlier(self, turn: Turn) -> AsyncGenerator[Output, None]:
        """Bring the turns before `turn` to an end in memory. Puts out what their tools did meanwhile."""
        while self._open[0] is not turn:
            earlier = self._open[0]
            await earlier.jobs.wait()
            for output in earlier.untold():
                yield output
            if not earlier.complete:
                await self._save(earlier)
            self._open.remove(earlier)

    async def _run(self, turn: Turn, human: HumanMessage, outputs: asyncio.Queue[Output | None]) -> None:
        try:
            await self._stream(turn, human, outputs)
            turn.complete = True
        except Exception as error:  # noqa: BLE001  # whatever fails in a brain, the call goes on
            for output in self._apologise(turn, error):
                outputs.put_nowait(output)
        finally:
            outputs.put_nowait(None)

    async def _stream(self, turn: Turn, human: HumanMessage, outputs: asyncio.Queue[Output | None]) -> None:
        stream = self._mind.graph.astream(
            cast(State, {"messages": [human]}),  # the rest is in the checkpoint
            self._config,
            context=CallContext(self._models, turn.jobs),
            stream_mode=MODES,
            durability="exit",  # one save a reply; what a cut reply did is in the turn's own account
        )
        async with aclosing(cast(AsyncGenerator[tuple[str, Any]], stream)) as parts:
            async for mode, part in parts:
                for output in turn.take(mode, part):
                    outputs.put_nowait(output)
                if turn.flow is not None:
                    self._flow = turn.flow

    def _apologise(self, turn: Turn, error: Exception) -> Iterator[Output]:
        if isinstance(error, GraphRecursionError):
            sentence = f"it took {STEP_LIMIT} steps without an answer in words."
        else:
            logger.opt(exception=error).error("the brain failed")
            sentence = f"{type(error).__name__}: {error}"
        yield Failed(self.name, sentence, APOLOGY)
        yield from turn.take("messages", (apology(self._mind.language), {}))

    async def _models(self) -> Sequence[LLM]:
        if self._llms is None:
            self._llms = await self._connect()
        return self._llms

    async def _save(self, turn: Turn) -> None:
        """Make the graph's memory of this turn what the turn's own account says."""
        wanted = turn.remembered()
        keep = {message.id for message in wanted}
        saved = {message.id for message in await self.messages()}
        gone = [RemoveMessage(id=id_) for id_ in turn.ids if id_ in saved and id_ not in keep]
        update: dict[str, Any] = {"messages": [*gone, *wanted]}
        if turn.flow is not None:
            update["flow"] = turn.flow
        await self._mind.graph.aupdate_state(self._config, update, as_node=RESPOND)

    async def _stop(self) -> None:
        """Cancel the running reply, if any, and wait until it is gone."""
        if task := self._running:
            task.cancel()
            await asyncio.wait([task])
            self._running = None


def _new_id(of: str) -> str:
    return f"{of}-{uuid4().hex}"
