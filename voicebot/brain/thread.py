"""A call's thread of a graph: what it holds, running it, and putting it right without running any of it.

A thread is put right after every reply that the caller did not hear to the end, in the name of `graph.HEARD`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing, nullcontext
from typing import Any, Protocol, cast

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import LastValue
from langgraph.constants import END
from langgraph.types import Overwrite, StateSnapshot, StateUpdate

from voicebot import clock
from voicebot.brain import Failed
from voicebot.brain.archive import Archive, Archivist
from voicebot.brain.checkpoints import LatestSaver
from voicebot.brain.graph import HEARD, AnyGraph
from voicebot.brain.history import unanswered
from voicebot.brain.turn import INTERRUPT, Turn

NO_RESULT = "No result: it was stopped while it ran. It may have taken effect."
"""The result of a tool call that has begun and not come to its end."""
Part = tuple[tuple[str, ...], str, Any]
"""What a graph streams: the namespace of the (nested) graph it comes from, LangGraph's stream mode, and the thing."""


class Source(Protocol):
    """Where a call's graph comes from."""

    async def open(self) -> AnyGraph: ...

    async def close(self) -> None: ...


class Shared:
    """The source of a graph that all calls share."""

    def __init__(self, graph: AnyGraph) -> None:
        self._graph = graph

    async def open(self) -> AnyGraph:
        return self._graph

    async def close(self) -> None: ...


class Thread:
    """The thread `call_id` of a graph, which is opened when it is first needed."""

    def __init__(self, source: Source, config: RunnableConfig, archive: Callable[[], Archive] | None = None) -> None:
        """`archive` opens where its checkpoints are kept besides."""
        self._source = source
        self._config = config
        self._graph: AnyGraph | None = None
        self._archive = archive
        self._archivist: Archivist | None = None

    async def open(self) -> AnyGraph:
        if self._graph is None:
            with clock.work():
                self._graph = await self._source.open()
        saver = self._graph.checkpointer
        if self._archive and self._archivist is None and isinstance(saver, LatestSaver):
            self._archivist = Archivist(self._archive(), saver, self._id)
        return self._graph

    @property
    def _id(self) -> str:
        return str(self._config["configurable"]["thread_id"])

    def keep(self) -> None:
        """Have the archive keep what is there now."""
        if self._archivist:
            self._archivist.keep()

    def untold(self) -> list[Failed]:
        """What has failed in the archive since it was last asked."""
        return self._archivist.untold() if self._archivist else []

    async def state(self) -> StateSnapshot:
        graph = await self.open()
        with clock.work():
            return await graph.aget_state(self._config)

    async def messages(self) -> list[AnyMessage]:
        """The conversation as it is remembered now."""
        return list((await self.state()).values.get("messages", ()))

    async def taken(self, turn: Turn) -> list[AnyMessage]:
        """What the turn begins with as the graph takes it in: by itself, or behind what is there without a reducer."""
        saved = await self.messages() if turn.looks_back else []
        given = turn.given(saved)
        return [*saved, *given] if isinstance((await self.open()).channels["messages"], LastValue) else given

    async def run(self, given: Any, *, callbacks: Sequence[Any] = (), **how: Any) -> AsyncGenerator[Part]:
        """Run the graph with an input, a Command, or None to go on.

        Closing it stops the graph. Raises what its nodes raise.
        """
        graph = await self.open()
        config: RunnableConfig = {**self._config, "callbacks": list(callbacks)}
        is_guest = how.get("subgraphs", False)  # what its nodes wait for is not known; ours say so themselves
        with clock.work() if is_guest else nullcontext():
            stream = cast(AsyncGenerator[Any], graph.astream(given, config, **how))
            async with aclosing(stream) as parts:
                async for part in parts:
                    yield part if is_guest else ((), *part)

    async def put_right(self, turns: Sequence[Turn]) -> None:
        """Make the thread hold of these turns what the caller heard and what was done, in order."""
        graph = await self.open()
        if isinstance(graph.checkpointer, LatestSaver):
            graph.checkpointer.forget_subgraphs(self._id)
        if all(turn.is_unchanged for turn in turns):
            return
        cut = not all(turn.complete for turn in turns)
        with clock.work():
            if cut:  # what is still due is not done any more; what parallel steps have finished is kept
                await graph.abulk_update_state(self._config, [[StateUpdate(None, END)]])
            saved = right = await self.messages()
            for turn in turns:
                right = turn.corrected(right)
            running = {call_id for turn in turns for call_id in turn.jobs.running}
            begun = {call_id for turn in turns for call_id in turn.begun}
            update: dict[str, Any] = {"messages": answered(right, running, begun)}
            flow = next((turn.flow for turn in reversed(turns) if turn.flow is not None), None)
            if cut or update["messages"] != saved:
                await self.write(update if flow is None else {**update, "flow": flow})

    async def add(self, *messages: AnyMessage) -> None:
        """The conversation goes on with these, and nothing is run."""
        await self.write({"messages": [*await self.messages(), *messages]})

    async def write(self, update: dict[str, Any]) -> None:
        """Replace `messages`, and write the other keys, without running anything."""
        graph = await self.open()
        if not isinstance(graph.channels["messages"], LastValue):
            update = {**update, "messages": Overwrite(update["messages"])}
        await graph.aupdate_state(self._config, update, as_node=HEARD)

    async def close(self) -> list[Failed]:
        """Forget the thread, unless the graph's own checkpointer keeps it. Returns what failed in the end."""
        late: list[Failed] = []
        if self._archivist:
            await self._archivist.close()
            late = self._archivist.untold()
        saver = self._graph.checkpointer if self._graph else None
        if isinstance(saver, LatestSaver):
            await saver.adelete_thread(self._id)
        await self._source.close()
        return late


def asks(mode: str, part: Any) -> bool:
    """Whether this part of a stream says that the graph waits for an answer."""
    return mode == "updates" and INTERRUPT in part


def answered(
    messages: Sequence[AnyMessage], running: Collection[str] = (), begun: Collection[str] = ()
) -> list[AnyMessage]:
    """The conversation with a result behind every tool call, as providers demand; those still `running` aside.

    Of those that have `begun` and got to no end it is said that they may have done something.
    """
    missing = {result.tool_call_id: result for result in unanswered(messages) if result.tool_call_id not in running}
    for id_ in missing.keys() & begun:
        missing[id_] = missing[id_].model_copy(update={"content": NO_RESULT})
    whole: list[AnyMessage] = []
    owed: list[AnyMessage] = []
    for message in messages:
        if not isinstance(message, ToolMessage):
            whole += owed
            owed = []
        whole.append(message)
        if isinstance(message, AIMessage):
            calls = [*message.tool_calls, *message.invalid_tool_calls]
            owed = [missing.pop(id_) for id_ in (call["id"] or "" for call in calls) if id_ in missing]
    return whole + owed
