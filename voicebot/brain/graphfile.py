"""A guest: the graph that `brain.graph` names, as somebody wrote it who need not know voicebot.

It may be a compiled graph, a StateGraph, or a factory: sync or async, with or without a context around it, taking
nothing, a RunnableConfig or a ServerRuntime, as `langgraph dev` allows. A factory is called once for each call.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.memory import InMemoryStore
from loguru import logger

from voicebot import graphref
from voicebot.brain import importing
from voicebot.brain.checkpoints import GuestSaver, LatestSaver
from voicebot.brain.graph import AnyGraph, editable
from voicebot.brain.thread import Shared, Source
from voicebot.errors import BadInput, did_you_mean

SYNC_SAVERS = ("langgraph.checkpoint.sqlite", "langgraph.checkpoint.postgres")
"""Where LangGraph has checkpointers without async methods."""


class GraphFile:
    """A guest of a process. Raises BadInput, naming file and line, for one that cannot be used."""

    def __init__(self, reference: str, root: Path, *, language: str = "en", is_archived: bool = False) -> None:
        """`language` is the callers'; `is_archived`: its checkpoints shall outlive the process."""
        self._language = language
        self._is_archived = is_archived
        try:
            self._ref = graphref.resolve(reference, root)
        except ValueError as error:
            raise BadInput(f"brain.graph: {error}") from None
        self.name = reference
        self._saver: BaseCheckpointSaver[Any] | None = None
        self._target = importing.target(self._ref)
        self._graph = self._usable(self._target) if _is_graph(self._target) else None
        if self._graph is None and not callable(self._target):
            raise BadInput(f"{self._where} is no graph but {type(self._target).__name__}.")

    @property
    def _where(self) -> str:
        return f"{self._ref.shown}: '{self._ref.name}'"

    def for_a_call(self, config: RunnableConfig) -> Source:
        """The graph for the call whose thread `config` names."""
        if self._graph:
            return Shared(self._graph)
        made = self._make(config)
        comes_later = inspect.isawaitable(made) or isinstance(made, _AROUND)
        return Made(made, self._usable) if comes_later else Shared(self._usable(made))

    def _make(self, config: RunnableConfig) -> Any:
        factory = self._target
        if inspect.isasyncgenfunction(factory):
            factory = asynccontextmanager(factory)
        elif inspect.isgeneratorfunction(factory):
            factory = contextmanager(factory)
        try:
            return factory(*self._arguments(config))
        except BadInput:
            raise
        except Exception as error:
            raise importing.complaint(self._ref, error) from error

    def _arguments(self, config: RunnableConfig) -> list[Any]:
        """What the factory takes, told by its annotations or by the usual names."""
        given = []
        for parameter in inspect.signature(self._target).parameters.values():
            about = f"{parameter.name} {parameter.annotation}".casefold()
            if "runtime" in about:
                given.append(_runtime())
            elif "config" in about:
                given.append(config)
            elif parameter.default is parameter.empty and parameter.kind not in _VARIADIC:
                takes = "A factory takes nothing, a RunnableConfig or a ServerRuntime."
                raise BadInput(f"{self._where} wants '{parameter.name}'. {takes}")
            else:
                break
        return given

    def _usable(self, made: Any) -> AnyGraph:
        """The graph, compiled and with the checkpointer that keeps this process's calls, unless it has its own."""
        if isinstance(made, StateGraph):
            try:
                made = made.compile()
            except ValueError as error:
                raise BadInput(f"{self._where} cannot be compiled: {error}") from error
        if not isinstance(made, CompiledStateGraph):
            raise BadInput(f"{self._where} makes no graph but {type(made).__name__}.")
        keys = made.builder.schemas[made.builder.input_schema]
        if "messages" not in keys:
            hint = did_you_mean("messages", keys)
            raise BadInput(f"{self._where} takes no 'messages'; its state must have them, as MessagesState does.{hint}")
        self._check_context(made)
        own = made.checkpointer
        if not isinstance(own, BaseCheckpointSaver):
            return editable(made, self._keeper(made))
        if self._is_archived:
            raise BadInput(
                f"{self._where} has a checkpointer of its own, {type(own).__name__}: remove brain.checkpoints, or "
                "compile without it."
            )
        if type(own).aget_tuple is BaseCheckpointSaver.aget_tuple or type(own).__module__ in SYNC_SAVERS:
            raise BadInput(
                f"{self._where} is compiled with {type(own).__name__}, which has no async methods. Use the async one, "
                "or compile without a checkpointer and say brain.checkpoints: sqlite."
            )
        return editable(made, GuestSaver(own, self._language))

    def _keeper(self, graph: AnyGraph) -> BaseCheckpointSaver[Any]:
        if self._saver is None:
            whole = any(isinstance(channel, DeltaChannel) for channel in graph.channels.values())
            if whole and self._is_archived:
                raise BadInput(f"{self._where} has a DeltaChannel: compile it with a checkpointer of its own.")
            self._saver = (
                InMemorySaver() if whole else LatestSaver(self._language)
            )  # such a channel is spread over all checkpoints
        return self._saver

    def _check_context(self, graph: AnyGraph) -> None:
        schema = graph.context_schema
        if schema is None or not isinstance(schema, type) or issubclass(schema, dict):
            return
        try:
            schema()
        except (TypeError, ValueError) as error:
            raise BadInput(
                f"{self._where} needs a context that a call does not have: {schema.__name__} must have a default for "
                f"each of its fields ({str(error).splitlines()[0]})."
            ) from error


_AROUND = (AbstractContextManager, AbstractAsyncContextManager)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Made:
    """The graph that an async factory makes for one call. What is around it is entered and left in one task, because
    some connections insist on that."""

    def __init__(self, made: Any, usable: Callable[[Any], AnyGraph]) -> None:
        self._made = made
        self._usable = usable
        self._opened: asyncio.Task[AnyGraph] | None = None
        self._held: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def open(self) -> AnyGraph:
        if self._opened is None:
            self._opened = asyncio.create_task(self._open(), name="graph factory")
        return await asyncio.shield(self._opened)

    async def _open(self) -> AnyGraph:
        made = await self._made if inspect.isawaitable(self._made) else self._made
        if isinstance(made, _AROUND):
            ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._held = asyncio.create_task(self._hold(made, ready), name="graph context")
            made = await ready
        return self._usable(made)

    async def _hold(self, around: Any, ready: asyncio.Future[Any]) -> None:
        try:
            if isinstance(around, AbstractAsyncContextManager):
                async with around as graph:
                    ready.set_result(graph)
                    await self._over.wait()
            else:
                with around as graph:
                    ready.set_result(graph)
                    await self._over.wait()
        except Exception as error:  # noqa: BLE001 - a factory may raise anything
            if ready.done():
                logger.opt(exception=error).warning("the graph's factory failed at its end")
            else:
                ready.set_exception(error)

    async def close(self) -> None:
        self._over.set()
        waiting = [task for task in (self._opened, self._held) if task]
        if waiting:
            await asyncio.wait(waiting)


def _is_graph(value: Any) -> bool:
    return isinstance(value, CompiledStateGraph | StateGraph)


def _runtime() -> Any:
    from langgraph_sdk.runtime import _ExecutionRuntime  # the only way to make a ServerRuntime

    return _ExecutionRuntime(access_context="threads.create_run", user=None, store=InMemoryStore(), context=None)
