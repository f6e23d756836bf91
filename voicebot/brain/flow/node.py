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

from .claims import Claims
from .dialogue import Dialogue
from .state import Move


class FlowMind:
    """A flow agent's dialogue, shared by all its calls. Raises BadInput for an agent without a flow."""

    def __init__(self, agent: Agent, today: Callable[[], date] = date.today) -> None:
        if agent.flow is None:
            raise BadInput(f"{agent.name} has no flow. Add a 'flow' section, or an 'llm' in 'brain'.")
        self.today = today
        leaves = [each for each in agent.handoff if not each.agent]  # to a person, not to another agent
        person = next(iter([*leaves, *agent.handoff]), None)
        self._dialogue = Dialogue(
            agent.flow,
            Knowledge.load(agent.root, agent.brain.knowledge),
            person=person.to if person else None,
            hand_over=person.say if person else None,
            greeting=agent.greeting,
            today=today,
        )

    async def respond(self, state: dict[str, Any]) -> dict[str, Any]:
        """The node: after a ToolMessage it goes on, after a HumanMessage it answers."""
        messages: Sequence[AnyMessage] = state["messages"]
        move = self.move(messages, state.get("flow") or {})
        return update(move, messages, new_id(), move.say)

    def settles(self, flow: dict[str, Any], text: str) -> bool:
        """Whether the text surely answers the open question."""
        return self._dialogue.settles(flow, text)

    def may_be_whole(self, text: str) -> bool:
        """Whether what the caller has said so far could be all of it."""
        return self._dialogue.may_be_whole(text)

    def move(self, messages: Sequence[AnyMessage], flow: dict[str, Any], claims: Claims | None = None) -> Move:
        """The next move; `claims` are what a language model has understood of what the caller said. Changes nothing."""
        last = messages[-1]
        if isinstance(last, ToolMessage):
            return self._resume(flow, last)
        text = _unread(messages, flow)
        result = _result_of(messages, flow)
        if result is None:
            return self._dialogue.step(flow, text, heard=_heard(messages, flow), claims=claims)
        # The caller spoke while a tool ran. What the tool did comes first; what it led to say was never heard.
        move = self._resume(flow, result)
        if flow["running"]["kind"] == "do":
            return move
        return self._dialogue.step(move.state, text, heard="", claims=claims)

    def _resume(self, flow: dict[str, Any], result: ToolMessage) -> Move:
        return self._dialogue.resume(flow, _content(result), ok=result.status == "success")


UNREAD = 3
"""How many turns are read together at most."""

_MINDS: dict[tuple[Path, str], FlowMind] = {}


def flow_node(agent: Agent) -> Callable[[dict[str, Any]], Any]:
    """The answering node of an agent whose brain is a flow. Raises BadInput when it has none."""
    return flow_mind(agent).respond


def settles(agent: Agent, flow: dict[str, Any], text: str) -> bool:
    """Whether the text surely answers the open question, so that nothing more need be waited for."""
    return flow_mind(agent).settles(flow, text)


def flow_mind(agent: Agent) -> FlowMind:
    """One dialogue for all calls of an agent in this process."""
    which = agent.root, agent.sha256
    if which not in _MINDS:
        _MINDS[which] = FlowMind(agent)
    return _MINDS[which]


def new_id() -> str:
    """An id for the message of a move."""
    return f"flow-{uuid4().hex}"


def update(move: Move, messages: Sequence[AnyMessage], id_: str, said: str) -> dict[str, Any]:
    """What the graph's state takes over of a move that was spoken as `said`."""
    calls = [
        {"name": tool.name, "args": tool.arguments, "id": f"call-{uuid4().hex}", "type": "tool_call"}
        for tool in move.tools
    ]
    caller = next((each.id for each in reversed(messages) if isinstance(each, HumanMessage)), "")
    state = {**move.state, "said": said or move.state["said"], "message": id_, "caller": caller}
    return {"messages": [AIMessage(said, tool_calls=calls, id=id_)], "flow": state}


def _unread(messages: Sequence[AnyMessage], flow: Mapping[str, Any]) -> str:
    """What the caller has said since the last turn that was taken in. A reply that was cut off before it had a move,
    because a model was being asked, has left its turn unread."""
    said = [each for each in messages if isinstance(each, HumanMessage)]
    read = [place for place, each in enumerate(said) if flow and each.id == flow.get("caller")]
    unread = said[read[-1] + 1 :] if read else said[-1:] if flow else said
    return " ".join(each.text for each in unread[-UNREAD:]).strip()


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
