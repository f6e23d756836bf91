"""The LangGraph graph that every agent runs on, with a language model or a flow inside.

    START -> before ... -> respond -> tool calls? -> tools, each call a task -> respond ... -> END

Compiled once for each agent; a call is a thread of it. `respond` is a node like any other: it returns
{"messages": [AIMessage(content=<words>, tool_calls=[...])]}, and a flow {"flow": {...}} besides. A node that has its
words piece by piece says them early with `runtime.stream_writer(Words(id, text))`, under the id of the message that
it returns in the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph._node import StateNodeSpec
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from voicebot.brain import CallTool
from voicebot.brain.ahead import Ahead
from voicebot.brain.checkpoints import LatestSaver
from voicebot.brain.jobs import Jobs
from voicebot.brain.memory import Memory
from voicebot.brain.tools import ENDINGS
from voicebot.llm import LLM

HEARD = "__heard__"
"""The node in whose name a thread is put right."""
RECALL = "recall"
RESPOND = "respond"
TOOLS = "tools"

TOOL_ROUNDS = 6
"""How often tools may run for one reply. Then a model must answer in words."""
STEP_LIMIT = 2 * TOOL_ROUNDS + 4
"""LangGraph's recursion limit for one reply: what stops a node that never answers in words."""


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    flow: dict[str, Any]
    """Where a flow is: at least "step" and "slots". Empty for a language model."""
    memory: dict[str, str]
    """The note on the earlier part of the call; empty while the model sees all of it."""
    passages: str
    """What the knowledge holds about this turn's question, where it is looked up."""


@dataclass(frozen=True)
class Words:
    """A piece of the assistant message `id`, as soon as it is known."""

    id: str
    text: str


@dataclass(frozen=True)
class CallContext:
    """What nodes may use of the call they run in."""

    llms: Callable[[], Awaitable[Sequence[LLM]]]
    """The models to ask, best first."""
    jobs: Jobs
    ahead: Ahead
    """What a model has been asked before it was sure to be wanted."""
    memory: Memory
    """What of the conversation a model is sent."""
    known: Callable[[str], str] = str
    """What passages of the knowledge pass on their way to a model."""


Node = Callable[..., Any]
Graph = CompiledStateGraph[State, CallContext, State, State]
AnyGraph = CompiledStateGraph[Any, Any, Any, Any]


def compiled(respond: Node, before: Sequence[tuple[str, Node]] = (), language: str = "en") -> Graph:
    """The graph with `respond` in it, and the named nodes `before` it, which run one after the other once a reply.

    Its checkpointer keeps the conversations of all its calls, whose callers speak `language`.
    """
    graph = StateGraph(State, context_schema=CallContext)
    path = [*before, (RESPOND, respond)]
    for (name, node), (previous, _) in zip(path, [(START, None), *before], strict=True):
        graph.add_node(name, node)
        graph.add_edge(previous, name)
    graph.add_node(TOOLS, cast(Node, _run_tool))
    graph.add_conditional_edges(RESPOND, _after_respond, [TOOLS, END])
    graph.add_conditional_edges(TOOLS, _after_tools, [RESPOND, END])
    return editable(graph.compile(checkpointer=LatestSaver(language)))


def editable(graph: AnyGraph, checkpointer: BaseCheckpointSaver[Any] | None = None) -> AnyGraph:
    """The graph with the node `HEARD`, and with `checkpointer` if there is one. `graph` itself stays as it is.

    LangGraph's `update_state` writes in the name of a node and goes on from there: its conditional edges run, and what
    follows it is due next. Nothing leads to this node, and it leads nowhere.
    """
    own = {"nodes": dict(graph.nodes), "channels": dict(graph.channels)}
    copy = graph.copy({**own, "checkpointer": checkpointer} if checkpointer else own)
    copy.attach_node(HEARD, StateNodeSpec(RunnableLambda(dict), None, graph.builder.state_schema, None, None))
    return copy


def this_turn(messages: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
    """What has been said and done since the caller spoke."""
    for index in range(len(messages) - 1, -1, -1):
        if isinstance(messages[index], HumanMessage):
            return messages[index + 1 :]
    return messages


# Both are async only because LangGraph hands plain functions to a worker thread.
async def _after_respond(state: State) -> list[Send] | str:
    """Each tool call is a task of its own: when one of them asks the caller, those that are done do not run again."""
    last = state["messages"][-1]
    calls = [*last.tool_calls, *last.invalid_tool_calls] if isinstance(last, AIMessage) else []
    return [Send(TOOLS, call) for call in calls] or END


async def _after_tools(state: State) -> str:
    """Back to respond, unless the call is about to end and the caller has been told. Asked after each of the tools."""
    turn = this_turn(state["messages"])
    spoke = any(isinstance(message, AIMessage) and message.text.strip() for message in turn)
    asked = next(message for message in reversed(turn) if isinstance(message, AIMessage))
    results = [message for message in turn[turn.index(asked) + 1 :] if isinstance(message, ToolMessage)]
    over = all(message.name in ENDINGS and message.status == "success" for message in results)
    return END if spoke and over else RESPOND


async def _run_tool(call: dict[str, Any], runtime: Runtime[CallContext]) -> dict[str, list[AnyMessage]]:
    """Run one tool: `call` is LangChain's ToolCall, or InvalidToolCall, whose arguments are a text."""
    unreadable = (call["args"] or "") if call["type"] == "invalid_tool_call" else None
    asked = CallTool(call["id"] or "", call["name"] or "", call["args"] if unreadable is None else {})
    runtime.stream_writer(asked)
    # Shielded, so that a cancelled reply leaves the tool running.
    done = await asyncio.shield(runtime.context.jobs.start(asked, unreadable))
    runtime.stream_writer(done)
    return {"messages": [done.message]}
