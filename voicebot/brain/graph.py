"""The LangGraph graph that every agent runs on, with a language model or a flow inside.

    START -> respond -> tool calls? -> tools -> respond ... -> END

Compiled once for each agent; a call is a thread of it. `respond` is a node like any other: it returns
{"messages": [AIMessage(content=<words>, tool_calls=[...])]}, and a flow {"flow": {...}} besides. A node that has its
words piece by piece says them early with `runtime.stream_writer(Words(id, text))`, under the id of the message that
it returns in the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import StreamWriter

from voicebot.brain import CallTool
from voicebot.brain.checkpoints import LatestSaver
from voicebot.brain.jobs import Done, Jobs
from voicebot.brain.tools import ENDINGS
from voicebot.llm import LLM

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


Node = Callable[..., Any]
Graph = CompiledStateGraph[State, CallContext, State, State]


def compiled(respond: Node) -> Graph:
    """The graph with `respond` in it. Its checkpointer keeps the conversations of all its calls."""
    graph = StateGraph(State, context_schema=CallContext)
    graph.add_node(RESPOND, respond)
    graph.add_node(TOOLS, _run_tools)
    graph.add_edge(START, RESPOND)
    graph.add_conditional_edges(RESPOND, _after_respond, [TOOLS, END])
    graph.add_conditional_edges(TOOLS, _after_tools, [RESPOND, END])
    return graph.compile(checkpointer=LatestSaver())


def this_turn(messages: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
    """What has been said and done since the caller spoke."""
    for index in range(len(messages) - 1, -1, -1):
        if isinstance(messages[index], HumanMessage):
            return messages[index + 1 :]
    return messages


# Both are async only because LangGraph hands plain functions to a worker thread.
async def _after_respond(state: State) -> str:
    last = state["messages"][-1]
    asks = isinstance(last, AIMessage) and (last.tool_calls or last.invalid_tool_calls)
    return TOOLS if asks else END


async def _after_tools(state: State) -> str:
    """Back to respond, unless the call is about to end and the caller has been told."""
    turn = this_turn(state["messages"])
    spoke = any(isinstance(message, AIMessage) and message.text.strip() for message in turn)
    asked = next(message for message in reversed(turn) if isinstance(message, AIMessage))
    results = [message for message in turn[turn.index(asked) + 1 :] if isinstance(message, ToolMessage)]
    over = all(message.name in ENDINGS and message.status == "success" for message in results)
    return END if spoke and over else RESPOND


async def _run_tools(state: State, runtime: Runtime[CallContext]) -> dict[str, list[AnyMessage]]:
    """Run the tools that the last message asks for, side by side."""
    asked = state["messages"][-1]
    assert isinstance(asked, AIMessage)
    jobs, write = runtime.context.jobs, runtime.stream_writer
    calls: list[tuple[CallTool, str | None]]
    calls = [(CallTool(call["id"] or "", call["name"], call["args"]), None) for call in asked.tool_calls]
    calls += [(CallTool(bad["id"] or "", bad["name"] or "", {}), bad["args"] or "") for bad in asked.invalid_tool_calls]
    for call, _ in calls:
        write(call)
    tasks = [jobs.start(call, unreadable) for call, unreadable in calls]
    return {"messages": list(await asyncio.gather(*(_result(task, write) for task in tasks)))}


async def _result(task: asyncio.Task[Done], write: StreamWriter) -> ToolMessage:
    done = await asyncio.shield(task)  # a cancelled reply leaves the tool running
    write(done)
    return done.message
