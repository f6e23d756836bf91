"""The tools of an agent, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from voicebot.agent import Agent, ToolSettings
from voicebot.brain.tools import python
from voicebot.brain.tools.builtin import OPTIONAL, end_call, hand_over
from voicebot.brain.tools.tool import Manner, Outcome, Tool
from voicebot.errors import BadInput, did_you_mean


class Source(Protocol):
    """Where tools come from that are known only when somebody has been asked: an MCP server."""

    async def tools(self) -> Iterable[Tool]:
        """Connect, if need be, and say what there is. Raises Unavailable, BadInput."""


class Toolbox:
    """`hidden` tools can be run but are not shown to a model; the tools of `sources` come with `open`."""

    def __init__(self, tools: Iterable[Tool], hidden: Iterable[Tool] = (), sources: Iterable[Source] = ()) -> None:
        self.schemas: list[dict[str, Any]] = []
        """What a model is shown, in the order of the agent file; `open` adds to this very list."""
        self._tools: dict[str, Tool] = {}
        self._sources = list(sources)
        for tool in tools:
            self._add(tool)
            self.schemas.append(tool.schema())
        for tool in hidden:
            self._add(tool)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    async def open(self) -> None:
        """Connect to the sources, side by side, before the caller needs them. Nothing to do when that has been done.

        Raises what the first that failed raised; the tools of the others are there nevertheless.
        """
        sources = self._sources.copy()
        found = await asyncio.gather(*(source.tools() for source in sources), return_exceptions=True)
        for source, tools in zip(sources, found, strict=True):
            if isinstance(tools, BaseException) or source not in self._sources:
                continue  # in the second case another call was faster
            self._sources.remove(source)
            for tool in tools:
                self._add(tool)
                self.schemas.append(tool.schema())
        for failure in found:
            if isinstance(failure, BaseException):
                raise failure

    def manner(self, name: str) -> Manner:
        """How the tool is used; what is usual when there is none of that name."""
        return self._tools[name].manner if name in self._tools else Manner()

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        tool = self._tools.get(name)
        if tool is None:
            return Outcome(False, f"There is no tool '{name}'.{did_you_mean(name, self._tools)}", attempts=0)
        return await tool.run(arguments)

    def _add(self, tool: Tool) -> None:
        if tool.name in self._tools:
            raise BadInput(f"two tools are called '{tool.name}'. Rename one of them.")
        self._tools[tool.name] = tool


def toolbox_of(agent: Agent, *, endings_hidden: bool = False) -> Toolbox:
    """The tools that the agent file lists, and those that every agent has.

    `endings_hidden`: hanging up and handing over are not shown to a model, because a flow decides on them.
    Raises BadInput for one that cannot be used as it is, MissingExtra.
    """
    made = [_made(settings, agent.root) for settings in agent.brain.tools]
    listed = [tool for tool in made if isinstance(tool, Tool)]
    sources = [source for source in made if not isinstance(source, Tool)]
    endings = [end_call(), *([hand_over(agent.handoff)] if agent.handoff or endings_hidden else [])]
    if endings_hidden:
        return Toolbox(listed, endings, sources)
    return Toolbox([*listed, *endings], sources=sources)


def _made(settings: ToolSettings, root: Path) -> Tool | Source:
    idempotent = settings.idempotent is True or (settings.idempotent is None and _only_looks(settings))
    manner = Manner(settings.timeout, idempotent, settings.background, settings.say or "")
    if settings.python:
        return python.load(settings.python, root, manner)
    if settings.http:
        from voicebot.brain.tools.http import HttpTool  # its libraries take a while: only where an agent has one

        return HttpTool.of(settings.http, manner, root)
    if settings.mcp:
        from voicebot.brain.tools.mcp import McpServer

        names = settings.idempotent if isinstance(settings.idempotent, list) else []
        return McpServer(settings.mcp, manner, names, root)
    assert settings.built_in
    return replace(OPTIONAL[settings.built_in](), manner=manner)


def _only_looks(settings: ToolSettings) -> bool:
    return settings.http is not None and settings.http.method == "GET"
