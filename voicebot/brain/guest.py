"""A reply of a graph that somebody else wrote: what of its stream is for the caller, and what its tools do.

Spoken is what its chat models stream and what its nodes return as assistant messages, each once, nested graphs
included. Not spoken are models tagged `nostream`, those asked for structured output, and whatever runs inside a tool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    convert_to_messages,
)
from langgraph.runtime import RunControl
from langgraph.types import Overwrite

from voicebot.brain import CallTool, Moved, Output, ToolResult
from voicebot.brain.heard import INTERRUPTED, letters
from voicebot.brain.history import CUT_IN, SILENT
from voicebot.brain.jobs import Jobs
from voicebot.brain.listener import Listener
from voicebot.brain.toolcalls import ToolCalls
from voicebot.brain.tools import Toolbox
from voicebot.brain.turn import INTERRUPT, Turn

MODES = ["messages", "updates", "tools"]
FINISH_S = 10.0
"""How long tools that run when the caller cuts in may take to finish."""


class GuestTurn(Turn):
    """A turn that a guest graph answers. `control` stops it between two steps, `listener` hears who speaks."""

    def __init__(self, *first: AnyMessage, known_calls: set[tuple[str, str]], goes_on: Turn | None = None) -> None:
        """`known_calls`: the tool calls of the turns before, to which it adds its own."""
        super().__init__(Jobs(Toolbox([])), *first, goes_on=goes_on)
        self.control = RunControl()
        self.listener = Listener()
        before = goes_on._calls if isinstance(goes_on, GuestTurn) else None
        self._calls: ToolCalls = before.resumed() if before else ToolCalls(known_calls)
        self._tools_are_next = False
        """They were called, and may have begun by now."""
        self._deeds: list[Output] = []
        self._unclaimed: set[str] = set()
        """Messages that were said and that no node has returned yet."""

    @property
    def looks_back(self) -> bool:
        return True

    @property
    def owes_words(self) -> bool:
        return not self._said and not self.endings

    @property
    def begun(self) -> frozenset[str]:
        return frozenset(self._calls.begun)

    @property
    def works(self) -> bool:
        return self.run is not None and not self.run.done()

    def given(self, saved: Sequence[AnyMessage]) -> list[AnyMessage]:
        """The caller's words, with what a model has to know that reads the conversation as it stands."""
        *before, human = self._first
        last = next((each for each in reversed(saved) if isinstance(each, AIMessage | HumanMessage)), None)
        was_cut = last is not None and INTERRUPTED in last.additional_kwargs
        text = human.text.strip() or SILENT
        human = human.model_copy(update={"content": f"{CUT_IN}\n{text}" if was_cut else text})
        self._messages[human.id or ""] = human
        return [*before, human]

    def how(self, context: Any) -> dict[str, Any]:
        """Its nested graphs speak, too; its `context_schema` has its defaults; every step is saved, since its state
        is known to nobody else."""
        return {
            "stream_mode": MODES,
            "subgraphs": True,
            "durability": "async",
            "context": {},
            "control": self.control,
            "callbacks": [self.listener],
        }

    def take(self, mode: str, part: Any, namespace: tuple[str, ...] = ()) -> Iterator[Output]:
        outputs = list(self._outputs(mode, part, namespace))
        self._deeds += [output for output in outputs if isinstance(output, CallTool | ToolResult)]
        for output in outputs:
            if not isinstance(output, Moved):
                self._tools_are_next = isinstance(output, CallTool)
        return iter(outputs)

    def _outputs(self, mode: str, part: Any, namespace: tuple[str, ...]) -> Iterator[Output]:
        if mode == "messages":
            message = part[0]
            is_speech = isinstance(message, AIMessage | AIMessageChunk)
            if is_speech and message.text and not self.listener.is_muted(message, namespace):
                yield from self._spoken(message)
        elif mode == "updates":
            for node, update in part.items():
                yield from self._returned(node, update)
        elif mode == "tools":
            yield from self._noted(self._calls.event(part))

    def _spoken(self, message: AIMessage | AIMessageChunk) -> Iterator[Output]:
        id_ = message.id or ""
        if isinstance(message, AIMessageChunk):
            self._unclaimed.add(id_)
        elif id_ not in self._said and (streamed := self._same_words(message.text)):
            self._rename(streamed, id_)  # a node has put the words of its model into a message of its own
        yield from super()._spoken(message)

    def _same_words(self, text: str) -> str | None:
        return next((id_ for id_ in self._unclaimed if letters(self._meant[id_]) == letters(text)), None)

    def _rename(self, old: str, new: str) -> None:
        self._unclaimed.discard(old)
        self._said = {new if id_ == old else id_: text for id_, text in self._said.items()}
        self._meant = {new if id_ == old else id_: text for id_, text in self._meant.items()}

    def _returned(self, node: str, update: Any) -> Iterator[Output]:
        """`update` is what the node wrote: by key, or a list of that, or nothing."""
        if node == INTERRUPT:
            return
        yield Moved(node)
        for written in update if isinstance(update, list) else [update]:
            for message in _messages(written):
                self._unclaimed.discard(message.id or "")
                if isinstance(message, AIMessage) and message.text and not message.id:
                    yield from self._spoken_at_last(message)
                if message.id:
                    self._messages[message.id] = message
                yield from self._noted(self._calls.message(message))

    def _spoken_at_last(self, message: AIMessage) -> Iterator[Output]:
        """Words that were returned as ("ai", "words") or as a dict: LangGraph does not stream those."""
        if not any(letters(text) == letters(message.text) for text in self._meant.values()):
            yield self._say(f"returned-{len(self._said)}", message.text)

    def _noted(self, outputs: Iterator[Output]) -> Iterator[Output]:
        for output in outputs:
            if isinstance(output, ToolResult) and output.ok and (ending := self._calls.ending(output)):
                self.endings.append(ending)
            yield output

    async def stop(self) -> None:
        """The model's connection is closed; a tool that runs is not torn from its work, but nothing follows it."""
        if self.run and not self.run.done() and (self.listener.tools_run or self._tools_are_next):
            self.control.request_drain("the caller cut in")
        else:
            await super().stop()

    async def finish(self) -> None:
        if self.run and not self.run.done():
            await asyncio.wait([self.run], timeout=FINISH_S)
            await super().stop()

    def untold(self) -> Iterator[Output]:
        for output in self._deeds:
            if isinstance(output, CallTool | ToolResult) and (type(output), output.id) not in self._told:
                self.told(output)
                yield output

    def corrected(self, saved: Sequence[AnyMessage]) -> list[AnyMessage]:
        self._find_twins(saved)
        return super().corrected(saved)

    def _find_twins(self, saved: Sequence[AnyMessage]) -> None:
        """The graph may have put what was said into a message of its own, which never was streamed as one."""
        ids = [each.id for each in saved]
        begins = next((ids.index(each.id) + 1 for each in reversed(self._first) if each.id in ids), len(ids))
        for id_, text in list(self._meant.items()):
            if id_ not in ids:
                rest = (each for each in saved[begins:] if each.id and each.id not in self._said)
                twin = next((each for each in rest if letters(each.text) == letters(text)), None)
                if isinstance(twin, AIMessage | HumanMessage):
                    self._rename(id_, twin.id or "")
                    self._messages[twin.id or ""] = twin


def _messages(written: Any) -> list[AnyMessage]:
    """The messages in what a node wrote, however it wrote them."""
    value = written.get("messages") if isinstance(written, dict) else getattr(written, "messages", None)
    value = value.value if isinstance(value, Overwrite) else value
    if value is None:
        return []
    try:
        return cast(list[AnyMessage], convert_to_messages(value if isinstance(value, list) else [value]))
    except (ValueError, NotImplementedError, TypeError):
        return []  # not messages: the graph's own business
