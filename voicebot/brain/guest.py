"""A reply of a graph that somebody else wrote: what of its stream is for the caller, and what its tools do.

Spoken is what its chat models stream and what its nodes return as assistant messages, each once, nested graphs
included. Not spoken are models tagged `nostream`, those asked for structured output, and whatever runs inside a tool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from langgraph.constants import TAG_NOSTREAM
from langgraph.runtime import RunControl
from langgraph.types import Overwrite, StreamMode

from voicebot.brain import CallTool, HandOver, HangUp, Moved, Output, ToolResult
from voicebot.brain.heard import INTERRUPTED, letters
from voicebot.brain.history import CUT_IN, SILENT
from voicebot.brain.jobs import Jobs
from voicebot.brain.tools import HAND_OVER, Toolbox
from voicebot.brain.tools.builtin import END_CALL
from voicebot.brain.turn import INTERRUPT, Turn

MODES: list[StreamMode] = ["messages", "updates", "tools"]
FINISH_S = 10.0
"""How long tools that run when the caller cuts in may take to finish."""


class GuestTurn(Turn):
    """A turn that a guest graph answers. `control` stops it between two steps, `listener` hears who speaks."""

    def __init__(self, *first: AnyMessage, known_calls: set[tuple[str, str]], goes_on: Turn | None = None) -> None:
        """`known_calls`: the tool calls of the turns before, to which it adds its own."""
        super().__init__(Jobs(Toolbox([])), *first, goes_on=goes_on)
        self.control = RunControl()
        self.listener = Listener()
        self._calls = goes_on._calls.resumed() if isinstance(goes_on, GuestTurn) else ToolCalls(known_calls)
        self._tools_are_next = False
        """They were called, and may have begun by now."""
        self._deeds: list[Output] = []
        self._unclaimed: set[str] = set()
        """Messages that were said and that no node has returned yet."""

    looks_back = True

    @property
    def owes_words(self) -> bool:
        return not self._said and not self.endings

    @property
    def begun(self) -> frozenset[str]:  # type: ignore[override]  # here it is told by the calls
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


class ToolCalls:
    """The tool calls of one turn, whatever node makes them, each told once with its result."""

    def __init__(self, seen: set[tuple[str, str]]) -> None:
        """`seen`: (message id, call id) of all that have been told in the whole call. Ids of calls may repeat."""
        self._seen = seen
        self._open: dict[str, CallTool] = {}
        self._began_s: dict[str, float] = {}
        self._took_s: dict[str, float] = {}
        self._runs: dict[str, str] = {}
        """Tools that run, by LangGraph's id of them -> the id of the call."""
        self._done: dict[str, CallTool] = {}
        self.begun: set[str] = set()

    def resumed(self) -> ToolCalls:
        """The tools that asked something run once more."""
        self._runs.clear()
        return self

    def message(self, message: BaseMessage) -> Iterator[Output]:
        """A message that a node has returned: it may ask for tools, or be the result of one."""
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                if (message.id or "", call["id"] or "") not in self._seen:
                    self._seen.add((message.id or "", call["id"] or ""))
                    yield self._called(CallTool(call["id"] or "", call["name"], dict(call["args"])))
        elif isinstance(message, ToolMessage) and message.tool_call_id in self._open:
            yield self._answered(message.tool_call_id, message.status == "success", _result(message))

    def event(self, event: Mapping[str, Any]) -> Iterator[Output]:
        """An event of LangGraph's stream mode `tools`."""
        id_, now_s = event["tool_call_id"], asyncio.get_running_loop().time()
        if event["event"] == "tool-started":
            call_id = self._meant(id_, event["tool_name"])
            if call_id is None:
                yield self._called(CallTool(id_, event["tool_name"], dict(event.get("input") or {})))
            self._runs[id_] = call_id or id_
            self.begun.add(call_id or id_)
            self._began_s[self._runs[id_]] = now_s
        elif event["event"] in ("tool-finished", "tool-error") and id_ in self._runs:
            call_id = self._runs.pop(id_)
            self._took_s[call_id] = now_s - self._began_s[call_id]
            output = event.get("output")
            if isinstance(output, ToolMessage) and call_id in self._open:
                yield self._answered(call_id, output.status == "success", _result(output))
            elif call_id == id_ and call_id in self._open and id_ not in {call for _, call in self._seen}:
                yield self._answered(id_, event["event"] == "tool-finished", event.get("message", output))

    def _meant(self, id_: str, name: str) -> str | None:
        """The call of the model that this run of a tool answers: by its id, or by name when a node runs it by hand."""
        if id_ in self._open:
            return id_
        running = set(self._runs.values())
        return next((call.id for call in self._open.values() if call.name == name and call.id not in running), None)

    def _called(self, call: CallTool) -> CallTool:
        self._open[call.id] = call
        self._began_s[call.id] = asyncio.get_running_loop().time()
        return call

    def _answered(self, id_: str, ok: bool, result: Any) -> ToolResult:
        call = self._done[id_] = self._open.pop(id_)
        took_s = self._took_s.get(id_, asyncio.get_running_loop().time() - self._began_s[id_])
        return ToolResult(id_, call.name, ok, result, round(took_s * 1000, 3))

    def ending(self, result: ToolResult) -> HangUp | HandOver | None:
        """A guest's tool that is called like a built-in one does what that does."""
        arguments = self._done[result.id].arguments
        if result.name == END_CALL:
            return HangUp(str(arguments.get("reason", "")))
        if result.name == HAND_OVER and arguments.get("to"):
            return HandOver(str(arguments["to"]), str(arguments.get("reason", "")))
        return None


class Listener(BaseCallbackHandler):
    """Hears which of a graph's models do not speak to the caller."""

    run_inline = True  # before LangGraph streams what it hears of

    def __init__(self) -> None:
        self._running: set[UUID] = set()
        """Tools that have begun and not ended."""
        self._inside: set[UUID] = set()
        """Runs of tools, and all that runs inside them."""
        self._silent: set[UUID] = set()
        self._muted: set[str] = set()
        self._tools: set[tuple[str, ...]] = set()
        """The namespaces of tasks in which a tool ran."""

    @property
    def tools_run(self) -> bool:
        return bool(self._running)

    def is_muted(self, message: BaseMessage, namespace: tuple[str, ...]) -> bool:
        """`namespace` is that of the graph which streams the message."""
        return message.id in self._muted or any(namespace[: len(task)] == task for task in self._tools)

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._inside.add(run_id)
        self._running.add(run_id)
        self._tools.add(tuple(str((metadata or {}).get("langgraph_checkpoint_ns", "?")).split("|")))

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._running.discard(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._running.discard(run_id)

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        if parent_run_id in self._inside:
            self._inside.add(run_id)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        structured = "ls_structured_output_format" in (kwargs.get("options") or {})
        if structured or parent_run_id in self._inside or TAG_NOSTREAM in (tags or ()):
            self._silent.add(run_id)

    def on_llm_new_token(self, token: str, *, chunk: Any = None, run_id: UUID, **kwargs: Any) -> None:
        if run_id in self._silent and isinstance(chunk, ChatGenerationChunk) and chunk.message.id:
            self._muted.add(chunk.message.id)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        if run_id in self._silent:
            messages = (getattr(each, "message", None) for given in response.generations for each in given)
            self._muted |= {message.id for message in messages if message and message.id}


def _messages(written: Any) -> list[AnyMessage]:
    """The messages in what a node wrote, however it wrote them."""
    value = written.get("messages") if isinstance(written, dict) else getattr(written, "messages", None)
    value = value.value if isinstance(value, Overwrite) else value
    if value is None:
        return []
    try:
        return list(convert_to_messages(value if isinstance(value, list) else [value]))
    except (ValueError, NotImplementedError, TypeError):
        return []  # not messages: the graph's own business


def _result(message: ToolMessage) -> Any:
    return message.text if message.artifact is None else message.artifact
