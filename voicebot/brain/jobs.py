"""The tools a call has started. They belong to the call, not to the reply: an interruption does not stop them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import ToolMessage

from voicebot.brain import CallTool, ToolResult
from voicebot.brain.background import STARTED, Background, message_of, result_of
from voicebot.brain.tools import Act, Outcome, Toolbox
from voicebot.observe.context import enter_tool

Run = Callable[[str, Mapping[str, Any]], Awaitable[Outcome]]
"""Runs a tool by its name, as `Toolbox.run` does."""


@dataclass(frozen=True)
class Done:
    """A tool that has run, in the shape the conversation keeps and in the shape the call's record keeps."""

    message: ToolMessage
    output: ToolResult | None
    """None for one that has only been started: its result comes later."""
    act: Act | None = None
    """What the call has to do besides."""


class Jobs:
    """The tools that one reply has started, by the id of the tool call."""

    def __init__(self, toolbox: Toolbox, background: Background | None = None, run: Run | None = None) -> None:
        """`run` runs the tools instead of the toolbox itself."""
        self._toolbox = toolbox
        self._run_tool = run or toolbox.run
        self._background = background or Background()
        self._asked: dict[str, CallTool] = {}
        self._tasks: dict[str, asyncio.Task[Done]] = {}

    def start(self, call: CallTool, unreadable: str | None = None) -> asyncio.Task[Done]:
        """Run a tool. `unreadable` are arguments that are not JSON: then the model is told so instead."""
        self._asked[call.id] = call
        task = self._tasks[call.id] = asyncio.create_task(self._run(call, unreadable), name=f"tool {call.name}")
        return task

    async def _run(self, call: CallTool, unreadable: str | None) -> Done:
        enter_tool(call.id)
        if unreadable is not None:
            shown = unreadable if len(unreadable) <= 80 else unreadable[:79] + "…"
            complaint = f"{call.name} was not run: its arguments are not a JSON object: {shown}"
            outcome = Outcome(False, complaint, attempts=0)
        elif self._toolbox.manner(call.name).background:
            self._background.start(call, self._run_tool(call.name, call.arguments))
            return Done(message_of(call, Outcome(True, STARTED), call.id), None)
        else:
            outcome = await self._run_tool(call.name, call.arguments)
        return Done(message_of(call, outcome, call.id), result_of(call, outcome), outcome.act)

    @property
    def asked(self) -> Iterator[CallTool]:
        return iter(self._asked.values())

    @property
    def running(self) -> frozenset[str]:
        return frozenset(id_ for id_, task in self._tasks.items() if not task.done())

    def finished(self) -> dict[str, Done]:
        """Those that have a result: not the ones that asked the caller something, and run once more when answered."""
        ended = {id_: task for id_, task in self._tasks.items() if task.done() and not task.cancelled()}
        return {id_: task.result() for id_, task in ended.items() if task.exception() is None}

    async def wait(self) -> None:
        """Until all have finished; each has its own time limit. Cancelling the wait cancels none of them."""
        if self._tasks:
            await asyncio.wait(self._tasks.values())
