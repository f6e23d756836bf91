"""A guest: the graph that `brain.graph` names, as somebody wrote it who need not know voicebot.

It may be a compiled graph, a StateGraph, or a factory: sync or async, with or without a context around it, taking
nothing, a RunnableConfig or a ServerRuntime, as `langgraph dev` allows. A factory is called once for each call.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from dotenv import dotenv_values
from langchain_core.runnables import RunnableConfig
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.memory import InMemoryStore
from loguru import logger

from voicebot import graphref
from voicebot.brain.checkpoints import LatestSaver
from voicebot.brain.graph import AnyGraph, editable
from voicebot.brain.thread import Shared, Source
from voicebot.errors import BadInput, did_you_mean
from voicebot.graphref import GraphRef

SYNC_SAVERS = ("langgraph.checkpoint.sqlite", "langgraph.checkpoint.postgres")
"""Where LangGraph has checkpointers without async methods."""


class GraphFile:
    """A guest of a process. Raises BadInput, naming file and line, for one that cannot be used."""

    def __init__(self, reference: str, root: Path, *, is_archived: bool = False) -> None:
        """`is_archived`: its checkpoints shall outlive the process (`brain.checkpoints`)."""
        self._is_archived = is_archived
        try:
            self._ref = graphref.resolve(reference, root)
        except ValueError as error:
            raise BadInput(f"brain.graph: {error}") from None
        self.name = reference
        self._saver: BaseCheckpointSaver[Any] | None = None
        self._target = _target(self._ref)
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
        return Shared(self._usable(made)) if _is_graph(made) else Made(made, self._usable)

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
            raise _complaint(self._ref, error) from error

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
        return editable(made)

    def _keeper(self, graph: AnyGraph) -> BaseCheckpointSaver[Any]:
        if self._saver is None:
            whole = any(isinstance(channel, DeltaChannel) for channel in graph.channels.values())
            if whole and self._is_archived:
                raise BadInput(f"{self._where} has a DeltaChannel: compile it with a checkpointer of its own.")
            self._saver = InMemorySaver() if whole else LatestSaver()  # such a channel is spread over all checkpoints
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
        if isinstance(made, AbstractContextManager | AbstractAsyncContextManager):
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


def _target(ref: GraphRef) -> Any:
    _set_environment(ref)
    for folder in ref.folders:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # behind everything else: a project's calendar.py must not be Python's
    importlib.invalidate_caches()
    module = _module(ref)
    if not hasattr(module, ref.name):
        raise BadInput(f"{ref.shown} has no '{ref.name}'.{did_you_mean(ref.name, vars(module))}")
    return getattr(module, ref.name)


def _set_environment(ref: GraphRef) -> None:
    """As `langgraph dev` does; what is set already stays."""
    for table in ref.env:
        for key, value in (dotenv_values(table) if isinstance(table, Path) else table).items():
            if value is not None:
                os.environ.setdefault(key, value)


def _module(ref: GraphRef) -> ModuleType:
    try:
        if not ref.module and ref.path:
            return _loose(ref.path)
        module = importlib.import_module(ref.module)
    except (Exception, SystemExit) as error:
        raise _complaint(ref, error) from error
    if ref.path and Path(module.__file__ or "").resolve() != ref.path.resolve():
        raise BadInput(f"{ref.module} is another module here: {module.__file__}. Give the project's own another name.")
    return module


def _loose(path: Path) -> ModuleType:
    """A file that is in no package, under a name of its own: two projects may both have a graph.py."""
    source = path.read_bytes()
    digest = hashlib.sha256(str(path.resolve()).encode() + b"\0" + source).hexdigest()[:16]
    name = f"voicebot_graph_{digest}"
    if name not in sys.modules:
        module = sys.modules[name] = ModuleType(name)
        module.__file__ = str(path)
        try:
            exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - the project's own code
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _complaint(ref: GraphRef, error: BaseException) -> BadInput:
    """What went wrong, at the innermost line of the project's own."""
    place = ref.shown
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{_shown(Path(error.filename), ref)}:{error.lineno}"
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            path = Path(frame.filename)
            if path == ref.path or any(path.is_relative_to(folder) for folder in ref.folders):
                place = f"{_shown(path, ref)}:{frame.lineno}" if "site-packages" not in path.parts else place
    return BadInput(f"{place} {type(error).__name__}: {error}")


def _shown(path: Path, ref: GraphRef) -> str:
    folder = next((folder for folder in ref.folders if path.is_relative_to(folder)), None)
    return path.relative_to(folder).as_posix() if folder else str(path)
