"""Tools that run while the agent goes on talking. They belong to the call: it is told when one has finished."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.errors import GraphBubbleUp

from voicebot.brain import CallTool, ToolResult
from voicebot.brain.tools import Outcome

STARTED = (
    "Started. It goes on while you talk, and its result comes as soon as it is there. "
    "Say so in a few words; do not call it again, and do not guess the result."
)
FINISHED = "[{tools} has finished; the result stands above. Tell the caller.]"
"""Stands for the caller's words when the agent speaks up unasked."""

Tell = Callable[[ToolResult], None]


class Background:
    """What one call has running in the background, and what has come of it that the agent does not know yet."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._finished: list[tuple[CallTool, Outcome]] = []
        self._untold: list[ToolResult] = []
        self._tell: Tell = self._untold.append

    def on_finish(self, tell: Tell) -> None:
        """`tell` is called with each result, as soon as it is there."""
        self._tell = tell

    def start(self, call: CallTool, work: Awaitable[Outcome]) -> None:
        task = asyncio.create_task(self._run(call, work), name=f"background tool {call.name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, call: CallTool, work: Awaitable[Outcome]) -> None:
        try:
            outcome = await work
        except GraphBubbleUp:
            outcome = Outcome(False, f"{call.name} failed: it cannot ask the caller anything from the background.")
        self._finished.append((call, outcome))
        self._tell(result_of(call, outcome))

    @property
    def has_news(self) -> bool:
        return bool(self._finished)

    def news(self, text: str, id_: str) -> list[AnyMessage]:
        """The caller's turn `text` as messages for the conversation, the results that have come before it.

        A result is put there as if the tool had been called then: the call that started it may be long past.
        """
        finished, self._finished = self._finished, []
        messages: list[AnyMessage] = []
        for call, outcome in finished:
            again = f"{call.id}-{uuid4().hex[:8]}"
            asked = {"name": call.name, "args": call.arguments, "id": again, "type": "tool_call"}
            messages += [AIMessage("", tool_calls=[asked], id=f"news-{again}"), message_of(call, outcome, again)]
        if not text and finished:
            text = FINISHED.format(tools=", ".join(dict.fromkeys(call.name for call, _ in finished)))
        return [*messages, HumanMessage(text, id=id_)]

    def untold(self) -> list[ToolResult]:
        """Results that nobody has been told."""
        untold = self._untold.copy()
        self._untold.clear()
        return untold

    async def close(self) -> list[ToolResult]:
        """Wait until all have finished; each has its own time limit. Returns what came of them."""
        self._tell = self._untold.append
        if self._running:
            await asyncio.wait(self._running)
        return self.untold()


def message_of(call: CallTool, outcome: Outcome, id_: str) -> ToolMessage:
    """The outcome in the shape the conversation keeps."""
    return ToolMessage(
        outcome.content,
        artifact=None if isinstance(outcome.result, str) else outcome.result,
        tool_call_id=id_,
        name=call.name,
        status="success" if outcome.ok else "error",
        id=f"result-{id_}",
    )


def result_of(call: CallTool, outcome: Outcome) -> ToolResult:
    """The outcome in the shape the call's record keeps."""
    return ToolResult(call.id, call.name, outcome.ok, outcome.result, outcome.duration_ms, outcome.attempts)
