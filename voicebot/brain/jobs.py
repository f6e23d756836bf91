"""The tools a call has started. They belong to the call, not to the reply: an interruption does not stop them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from langchain_core.messages import ToolMessage

from voicebot.brain import CallTool, HandOver, HangUp, ToolResult
from voicebot.brain.tools import Outcome, Toolbox


@dataclass(frozen=True)
class Done:
    """A tool that has run, in the shape the conversation keeps and in the shape the call's record keeps."""

    message: ToolMessage
    output: ToolResult
    ending: HangUp | HandOver | None


class Jobs:
    """The tools that one reply has started, by the id of the tool call."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self._asked: dict[str, CallTool] = {}
        self._tasks: dict[str, asyncio.Task[Done]] = {}

    def start(self, call: CallTool, unreadable: str | None = None) -> asyncio.Task[Done]:
        """Run a tool. `unreadable` are arguments that are not JSON: then the model is told so instead."""
        self._asked[call.id] = call
        task = self._tasks[call.id] = asyncio.create_task(self._run(call, unreadable), name=f"tool {call.name}")
        return task

    async def _run(self, call: CallTool, unreadable: str | None) -> Done:
        if unreadable is None:
            outcome = await self._toolbox.run(call.name, call.arguments)
        else:
            shown = unreadable if len(unreadable) <= 80 else unreadable[:79] + "…"
            outcome = Outcome(False, f"{call.name} was not run: its arguments are not a JSON object: {shown}")
        return _done(call, outcome)

    @property
    def asked(self) -> Iterator[CallTool]:
        return iter(self._asked.values())

    def finished(self) -> dict[str, Done]:
        return {id_: task.result() for id_, task in self._tasks.items() if task.done() and not task.cancelled()}

    async def wait(self) -> None:
        """Until all have finished; each has its own time limit. Cancelling the wait cancels none of them."""
        if self._tasks:
            await asyncio.wait(self._tasks.values())


def _done(call: CallTool, outcome: Outcome) -> Done:
    message = ToolMessage(
        outcome.content,
        artifact=None if isinstance(outcome.result, str) else outcome.result,
        tool_call_id=call.id,
        name=call.name,
        status="success" if outcome.ok else "error",
        id=f"result-{call.id}",
    )
    output = ToolResult(call.id, call.name, outcome.ok, outcome.result, outcome.duration_ms)
    return Done(message, output, outcome.ending)
