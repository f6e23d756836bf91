"""The dialogue as the answering node of the LangGraph graph (`voicebot.brain.graph`): it speaks and calls tools exactly
as a language model does, and keeps where it is in `state["flow"]`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from voicebot.agent import Agent
from voicebot.brain.knowledge import Knowledge
from voicebot.errors import BadInput

from .dialogue import Dialogue
from .state import Move


class FlowMind:
    """A flow agent's dialogue, shared by all its calls. Raises BadInput for an agent without a flow."""

    def __init__(self, agent: Agent, today: Callable[[], date] = date.today) -> None:
        if agent.flow is None:
            raise BadInput(f"{agent.name} has no flow. Add a 'flow' section, or an 'llm' in 'brain'.")
        self._dialogue = Dialogue(
            agent.flow,
            Knowledge.load(agent.root, agent.brain.knowledge),
            person=agent.handoff.to if agent.handoff else None,
            hand_over=agent.handoff.say if agent.handoff else None,
            greeting=agent.greeting,
            today=today,
        )

    async def respond(self, state: dict[str, Any]) -> dict[str, Any]:
        """The node: after a ToolMessage it goes on, after a HumanMessage it answers."""
        messages: Sequence[AnyMessage] = state["messages"]
        flow: dict[str, Any] = state.get("flow") or {}
        move = self._move(messages, flow)
        id_ = f"flow-{uuid4().hex}"
        calls = [
            {"name": tool.name, "args": tool.arguments, "id": f"call-{uuid4().hex}", "type": "tool_call"}
            for tool in move.tools
        ]
        return {
            "messages": [AIMessage(move.say, tool_calls=calls, id=id_)],
            "flow": {**move.state, "message": id_},
        }

    def settles(self, flow: dict[str, Any], text: str) -> bool:
        """Whether the text surely answers the open question."""
        return self._dialogue.settles(flow, text)

    def _move(self, messages: Sequence[AnyMessage], flow: dict[str, Any]) -> Move:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            return self._resume(flow, last)
        text = last.text if isinstance(last, HumanMessage) else ""
        result = _result_of(messages, flow)
        if result is None:
            return self._dialogue.step(flow, text, heard=_heard(messages, flow))
        # The caller spoke while a tool ran. What the tool did comes first; what it led to say was never heard.
        move = self._resume(flow, result)
        if flow["running"]["kind"] == "do":
            return move
        return self._dialogue.step(move.state, text, heard="")

    def _resume(self, flow: dict[str, Any], result: ToolMessage) -> Move:
        return self._dialogue.resume(flow, _content(result), ok=result.status == "success")


_MINDS: dict[tuple[Path, str], FlowMind] = {}


def flow_node(agent: Agent) -> Callable[[dict[str, Any]], Any]:
    """The answering node of an agent whose brain is a flow. Raises BadInput when it has none."""
    return _shared(agent).respond


def settles(agent: Agent, flow: dict[str, Any], text: str) -> bool:
    """Whether the text surely answers the open question, so that nothing more need be waited for."""
    return _shared(agent).settles(flow, text)


def _shared(agent: Agent) -> FlowMind:
    """One dialogue for all calls of an agent in this process."""
    which = agent.root, agent.sha256
    if which not in _MINDS:
        _MINDS[which] = FlowMind(agent)
    return _MINDS[which]


def _result_of(messages: Sequence[AnyMessage], flow: Mapping[str, Any]) -> ToolMessage | None:
    """The result of the tool that was running when the caller interrupted."""
    if not flow.get("running"):
        return None
    return next((each for each in reversed(messages) if isinstance(each, ToolMessage)), None)


def _heard(messages: Sequence[AnyMessage], flow: Mapping[str, Any]) -> str | None:
    """What the caller heard of the last move; the conversation holds no more than that."""
    id_ = flow.get("message")
    if not id_:
        return None
    return next((each.text for each in reversed(messages) if each.id == id_), "")


def _content(message: ToolMessage) -> Any:
    """The tool's result, as it was before it became text."""
    try:
        return json.loads(message.text)
    except json.JSONDecodeError:
        return message.text
