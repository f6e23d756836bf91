"""One reply as it comes about: what it has said, called and left running, and what of it is to be remembered.

The graph saves what its nodes return, but a reply that is cut short ends in the middle of a node. So the turn keeps
its own account, from which the conversation's memory can be put right at any moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage

from voicebot.brain import CallTool, HandOver, HangUp, Moved, Output, Say, ToolResult
from voicebot.brain.graph import RESPOND, TOOLS, Words
from voicebot.brain.heard import as_heard
from voicebot.brain.history import unanswered
from voicebot.brain.jobs import Done, Jobs


class Turn:
    """A turn of the caller and the agent's reply to it; of the greeting, only the reply."""

    def __init__(self, jobs: Jobs, first: HumanMessage | AIMessage) -> None:
        self.jobs = jobs
        self.flow: dict[str, Any] | None = None
        self.endings: list[HangUp | HandOver] = []
        self.complete = False
        """The graph has run to its end and saved what it did."""
        self._messages: dict[str, AnyMessage] = {first.id or "": first}
        self._said: dict[str, str] = {}
        self._heard: tuple[str, bool] | None = None
        self._told: set[tuple[type[Output], str]] = set()

    def take(self, mode: str, part: Any) -> Iterator[Output]:
        """What the graph streams (LangGraph's stream modes), as outputs of the brain."""
        if mode == "custom":
            yield from self._written(part)
        elif mode == "messages":
            message, metadata = part
            if metadata.get("langgraph_node") != TOOLS and isinstance(message, AIMessage | AIMessageChunk):
                yield from self._spoken(message)
        elif mode == "updates":
            for node, update in part.items():
                yield from self._returned(node, update or {})

    def _written(self, part: object) -> Iterator[Output]:
        if isinstance(part, Words):
            yield self._say(part.id, part.text)
        elif isinstance(part, Done):
            if part.ending:
                self.endings.append(part.ending)
            yield part.output
        elif isinstance(part, Output):
            yield part

    def _spoken(self, message: AIMessage | AIMessageChunk) -> Iterator[Output]:
        """Words of a message that its node did not write early: a piece, or the whole one once."""
        id_ = message.id or ""
        if message.text and (isinstance(message, AIMessageChunk) or id_ not in self._said):
            yield self._say(id_, message.text)

    def _say(self, id_: str, text: str) -> Say:
        """The words, with a gap before the first of another message."""
        gap = " " if self._said and id_ not in self._said else ""
        self._said[id_] = self._said.get(id_, "") + text
        return Say(gap + text)

    def _returned(self, node: str, update: dict[str, Any]) -> Iterator[Output]:
        for message in update.get("messages", []):
            self._messages[message.id or ""] = message
        flow = update.get("flow")
        if flow is not None:
            self.flow = flow
            yield Moved(str(flow.get("step", "")), dict(flow.get("slots", {})))
        elif node not in (RESPOND, TOOLS):
            yield Moved(node)

    def told(self, output: Output) -> None:
        """The call has been given this output."""
        if isinstance(output, CallTool | ToolResult):
            self._told.add((type(output), output.id))

    def untold(self) -> Iterator[Output]:
        """Tools of this turn that the call does not know of yet, because the reply was closed before."""
        done = self.jobs.finished()
        for call in self.jobs.asked:
            result = done[call.id].output if call.id in done else None
            for output in (call, result):
                if output and (type(output), output.id) not in self._told:
                    self.told(output)
                    yield output

    @property
    def was_heard(self) -> bool:
        return self._heard is not None

    def hear(self, heard: str, interrupted: bool) -> None:
        self._heard = (heard, interrupted)

    @property
    def ids(self) -> list[str]:
        """The ids of all its messages, finished or not."""
        return [message.id or "" for message in self._account()]

    def remembered(self) -> list[AnyMessage]:
        """What the conversation shall hold of it. Of a reply cut short of which nothing was heard: no words."""
        messages = self._account()
        heard, interrupted = self._heard or ("", True)
        if self._heard or not self.complete:
            messages = as_heard(messages, heard, interrupted=interrupted)
        running = {call.id for call in self.jobs.asked} - self.jobs.finished().keys()
        return [*messages, *(result for result in unanswered(messages) if result.tool_call_id not in running)]

    def _account(self) -> list[AnyMessage]:
        """Everything that was said and done, in order; a message that is not finished as far as it got."""
        partial = {id_: AIMessage(text, id=id_) for id_, text in self._said.items() if id_ not in self._messages}
        results = {done.message.id or "": done.message for done in self.jobs.finished().values()}
        return list({**self._messages, **partial, **results}.values())
