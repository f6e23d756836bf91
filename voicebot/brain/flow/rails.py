"""A language model on the rails of a flow: the flow leads, the model helps it understand and answers what is beside.

    the caller's turn -> the rules read it -> every word accounted for? -> the flow's move, as without a model
                                           -> no: the model is asked what it means -> its claims, checked
                                              -> the flow's move, after the model's own words if it has any

A model that fails, hangs or talks nonsense leaves the rules' own reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from langchain_core.messages import AnyMessage, BaseMessage, SystemMessage
from langgraph.runtime import Runtime
from langgraph.types import StreamWriter

from voicebot.agent import Agent
from voicebot.brain.graph import CallContext, Words
from voicebot.brain.graph import State as GraphState
from voicebot.flow import Flow

from .ask import Interpreter
from .claims import Claims
from .node import FlowMind, flow_mind, new_id, update
from .state import State

INSTRUCTION = """A fixed flow leads this call. It asks the questions, checks the answers, reads everything back and \
does what is to be done; you never do. You are asked when it has not understood the caller: call `understood` once, \
with what the caller's last words mean.
- Fill in only what those words say. Never guess, and never repeat what is known already.
- `say` is spoken right before the flow's next sentence. Use it only to answer what the caller asked or remarked \
beside the flow's question: one or two short sentences. Ask nothing, promise nothing, confirm nothing, never say that \
something has been done. Otherwise leave it out."""


class OnRails:
    """The dialogue of an agent with a flow and a language model, shared by all its calls."""

    def __init__(self, agent: Agent, system: str, leader: FlowMind | None = None) -> None:
        """`system` is what the model is told first."""
        assert agent.flow is not None
        self._flow = agent.flow
        self._leader = leader or flow_mind(agent)
        self._interpreter = Interpreter(agent.flow, agent.brain.patience)
        self._told = SystemMessage(f"{system}\n\n{INSTRUCTION}")

    async def respond(self, state: GraphState, runtime: Runtime[CallContext]) -> dict[str, Any]:
        """The answering node of the graph."""
        messages, flow = state["messages"], state.get("flow") or {}
        call, write = runtime.context, runtime.stream_writer
        reply = _Reply(self._leader, messages, flow, write)
        if not reply.move.understood:
            await self._interpreter.understand(call, self._asked(state, call), write, reply.take)
        elif reply.move.question and self._flow.wording == "free":
            reply.lead_in()
            sent = self._sent(state, call, REWORD.format(question=reply.move.question))
            await self._interpreter.word(call, sent, write, reply.reword)
        return reply.complete()

    async def prepare(self, state: GraphState, call: CallContext) -> None:
        """Ask the model already what `respond` would ask it in this state, if anything."""
        messages = state["messages"]
        if not self._leader.may_be_whole(messages[-1].text):
            return
        if not self._leader.move(messages, state.get("flow") or {}).understood:
            await self._interpreter.begin(call, self._asked(state, call))

    def _asked(self, state: GraphState, call: CallContext) -> list[BaseMessage]:
        """What a model is sent that shall understand the caller's last words."""
        now = situation(self._flow, State.of(state.get("flow")), self._leader.today())
        return self._sent(state, call, "\n\n".join(part for part in (state.get("passages"), now) if part))

    def _sent(self, state: GraphState, call: CallContext, aside: str) -> list[BaseMessage]:
        known = (state.get("flow") or {}).get("slots", {})
        return call.memory.fitted(
            self._told, state["messages"], tools=self._interpreter.tools, aside=aside, known=known
        )


REWORD = '[The flow goes on. Ask this now as one short question in your own words, and say nothing else: "{question}"]'


def situation(flow: Flow, state: State, today: date) -> str:
    """Where the flow is, as a note to the model behind the caller's words."""
    goal = flow.goals.get(state.goal or "")
    slots = list(goal.ask) if goal else []
    known = [f"{name} = {state.slots[name]}" for name in flow.slots if state.slots.get(name) is not None]
    parts = [
        f'The flow has asked: "{state.question or flow.phrases.ask_goal}"',
        f"It is about to {goal.title}." if goal else "It does not know yet what the caller wants.",
        f"Known: {', '.join(known)}." if known else "",
        f"Still open: {', '.join(each for each in slots if each not in state.slots)}." if slots else "",
        f"Offered: {', '.join(map(str, state.asking.options))}." if state.asking.options else "",
        f"Today is {today:%A}, {today.isoformat()}. Call `understood` for the caller's last words.",
    ]
    return f"[{' '.join(part for part in parts if part)}]"


class _Reply:
    """The reply in the making. What comes early is spoken at once, the rest at the end."""

    def __init__(
        self, mind: FlowMind, messages: Sequence[AnyMessage], flow: dict[str, Any], write: StreamWriter
    ) -> None:
        self._mind, self._messages, self._flow, self._write = mind, messages, flow, write
        self._id = new_id()
        self._spoken = ""
        self.move = mind.move(messages, flow)
        self._rest = self.move.say

    def take(self, claims: Claims) -> None:
        """The same turn, with what a model has understood of it and what it says itself, so far."""
        self.move = self._mind.move(self._messages, self._flow, claims)
        words, self._rest = self.move.words, self.move.say[len(self.move.words) :]
        if words.startswith(self._spoken):
            self._speak(words[len(self._spoken) :])

    def lead_in(self) -> None:
        """All but the question."""
        self._speak(self.move.say.removesuffix(self.move.question).strip())
        self._rest = self.move.question

    def reword(self, question: str) -> None:
        self._rest = question

    def complete(self) -> dict[str, Any]:
        """Say what is left. Returns the update of the graph's state."""
        if self._spoken and (rest := self._rest.strip()):
            self._speak(f" {rest}")
        return update(self.move, self._messages, self._id, self._spoken or self._rest)

    def _speak(self, text: str) -> None:
        if text:
            self._spoken += text
            self._write(Words(self._id, text))
