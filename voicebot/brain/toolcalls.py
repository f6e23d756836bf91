"""The tool calls of a graph that somebody else wrote, as they show in what it streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from voicebot import clock
from voicebot.brain import CallTool, HandOver, HangUp, Output, ToolResult
from voicebot.brain.tools import HAND_OVER
from voicebot.brain.tools.builtin import END_CALL


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
        id_, now_s = event["tool_call_id"], clock.now_s()
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
        self._began_s[call.id] = clock.now_s()
        return call

    def _answered(self, id_: str, ok: bool, result: Any) -> ToolResult:
        call = self._done[id_] = self._open.pop(id_)
        took_s = self._took_s.get(id_, clock.now_s() - self._began_s[id_])
        return ToolResult(id_, call.name, ok, result, round(took_s * 1000, 3))

    def ending(self, result: ToolResult) -> HangUp | HandOver | None:
        """A guest's tool that is called like a built-in one does what that does."""
        arguments = self._done[result.id].arguments
        if result.name == END_CALL:
            return HangUp(str(arguments.get("reason", "")))
        if result.name == HAND_OVER and arguments.get("to"):
            return HandOver(str(arguments["to"]), str(arguments.get("reason", "")))
        return None


def _result(message: ToolMessage) -> Any:
    return message.text if message.artifact is None else message.artifact
