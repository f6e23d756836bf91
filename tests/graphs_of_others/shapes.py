"""Graphs of many shapes, as people build them. All answer "tell" with the words of TALE."""

from __future__ import annotations

import asyncio
import operator
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from tests.graphs_of_others.scripted import Scripted, call

TALE = "One two three four five six seven eight."
RAN: list[str] = []
"""What has run, for those that want to know what ran twice."""


def tale(messages: Sequence[BaseMessage]) -> str:
    return TALE if messages[-1].text.endswith("tell") else "Yes?"


async def speak(state: Any) -> dict[str, Any]:
    RAN.append("speak")
    messages = state["messages"] if isinstance(state, dict) else state.messages
    return {"messages": [await Scripted(says=tale).ainvoke(messages)]}


async def count(state: Any) -> dict[str, Any]:
    RAN.append("count")
    turns = state["turns"] if isinstance(state, dict) else state.turns
    return {"turns": turns + 1}


def _chain(schema: type[Any]) -> Any:
    """count -> speak -> END, without a conditional edge."""
    builder = StateGraph(schema)
    builder.add_node("count", count)
    builder.add_node("speak", speak)
    builder.add_edge(START, "count")
    builder.add_edge("count", "speak")
    builder.add_edge("speak", END)
    return builder.compile()


class Subclass(MessagesState):
    turns: int


class Pydantic(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages] = []
    turns: int = 0


class Adding(TypedDict):
    messages: Annotated[list[AnyMessage], operator.add]
    turns: int


class Plain(TypedDict):
    messages: list[AnyMessage]
    turns: int


async def start_at_zero(state: Any) -> dict[str, Any]:
    return {"turns": state.get("turns", 0) + 1}


def _typed_chain(schema: type[Any]) -> Any:
    builder = StateGraph(schema)
    builder.add_node("count", start_at_zero)
    builder.add_node("speak", speak_appending if schema is Plain else speak)
    builder.add_edge(START, "count")
    builder.add_edge("count", "speak")
    return builder.compile()


async def speak_appending(state: Plain) -> dict[str, Any]:
    return {"messages": [*state["messages"], await Scripted(says=tale).ainvoke(state["messages"])]}


subclass = _typed_chain(Subclass)
pydantic = _chain(Pydantic)
adding = _typed_chain(Adding)
plain = _typed_chain(Plain)


# -- a router at the beginning, and nested graphs --------------------------------------------------------------------


async def choose(state: MessagesState) -> Literal["teller", "other"]:
    RAN.append("choose")
    return "teller" if "tell" in state["messages"][-1].text else "other"


def _teller() -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("speak", speak)
    builder.add_edge(START, "speak")
    return builder.compile()


async def other(state: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage("Yes?")]}


supervisor_builder = StateGraph(MessagesState)
supervisor_builder.add_node("teller", _teller())
supervisor_builder.add_node("other", other)
supervisor_builder.add_conditional_edges(START, choose)
supervisor = supervisor_builder.compile()


async def ask_teller(state: MessagesState) -> Command[Literal["__end__"]]:
    """The supervisor of the documentation: it calls the nested graph itself and keeps its words under a name."""
    result = await _teller().ainvoke({"messages": state["messages"]})
    words = result["messages"][-1].text
    return Command(goto="__end__", update={"messages": [HumanMessage(words, name="teller")]})


calling_builder = StateGraph(MessagesState)
calling_builder.add_node("ask_teller", ask_teller)
calling_builder.add_edge(START, "ask_teller")
calling = calling_builder.compile()


# -- words that come in other ways -----------------------------------------------------------------------------------


def _one_node(node: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("answer", node)
    builder.add_edge(START, "answer")
    return builder.compile()


async def copied(state: MessagesState) -> dict[str, Any]:
    answer = await Scripted(says=tale).ainvoke(state["messages"])
    return {"messages": [AIMessage(answer.text, name="teller")]}


async def whole(state: MessagesState) -> dict[str, Any]:
    return {"messages": [AIMessage(tale(state["messages"]))]}


async def as_dict(state: MessagesState) -> dict[str, Any]:
    return {"messages": [{"role": "assistant", "content": tale(state["messages"])}]}


async def as_pair(state: MessagesState) -> dict[str, Any]:
    return {"messages": ("ai", tale(state["messages"]))}


async def thinking(state: MessagesState) -> dict[str, Any]:
    blocks: list[str | dict[str, Any]]
    blocks = [{"type": "thinking", "thinking": "hm, hm"}, {"type": "text", "text": tale(state["messages"])}]
    return {"messages": [await Scripted(says=lambda _: AIMessage(blocks)).ainvoke(state["messages"])]}


async def routed(state: MessagesState) -> dict[str, Any]:
    router = Scripted(says=lambda _: '{"next": "teller"}')
    hidden = await router.with_config(tags=["nostream"]).ainvoke(state["messages"])
    structured = router.bind(ls_structured_output_format={"kwargs": {}, "schema": {"title": "Next", "type": "object"}})
    await structured.ainvoke(state["messages"])
    return {"messages": [hidden, await Scripted(says=tale).ainvoke(state["messages"])]}


copying = _one_node(copied)
returning = _one_node(whole)
dicts = _one_node(as_dict)
pairs = _one_node(as_pair)
reasoning = _one_node(thinking)
routing = _one_node(routed)


# -- tools -----------------------------------------------------------------------------------------------------------


@tool
async def slow(day: str) -> str:
    """Takes its time."""
    RAN.append(f"begins {day}")
    await asyncio.sleep(0.1)
    RAN.append(f"ends {day}")
    return f"done {day}"


@tool
async def fail(day: str) -> str:
    """Fails."""
    raise ValueError("no such day")


@tool
async def ask(day: str) -> str:
    """Asks."""
    RAN.append(f"asks {day}")
    return f"{day}: {interrupt({'question': f'Is {day} right?', 'internal': 7})}"


@tool
async def consult(day: str) -> str:
    """Has a model of its own, and a graph."""
    answer = await Scripted(says=lambda _: "I am a tool.").ainvoke([HumanMessage("hm")])
    nested = await _one_node(whole).ainvoke({"messages": [HumanMessage("tell")]})
    return f"{answer.text} {len(nested['messages'])}"


WANTED: dict[str, list[dict[str, Any]]] = {
    "slow": [call("slow", "a", day="Monday")],
    "both": [call("slow", "a", day="Monday"), call("fail", "b", day="Tuesday")],
    "ask": [call("ask", "a", day="Monday")],
    "ask twice": [call("ask", "a", day="Monday"), call("ask", "b", day="Tuesday")],
    "mixed": [call("slow", "a", day="Monday"), call("ask", "b", day="Tuesday")],
    "consult": [call("consult", "a", day="Monday")],
}


def agent_says(messages: Sequence[BaseMessage]) -> str | AIMessage:
    last = messages[-1]
    if isinstance(last, ToolMessage):
        return f"The last result is: {last.text}"
    wanted = WANTED.get(last.text.splitlines()[-1])
    if wanted is None:
        return tale(messages)
    turn = len(messages)
    return AIMessage("Let me see.", tool_calls=[{**each, "id": f"{each['id']}{turn}"} for each in wanted])


async def agent(state: MessagesState) -> dict[str, Any]:
    RAN.append("agent")
    return {"messages": [await Scripted(says=agent_says).ainvoke(state["messages"])]}


async def by_hand(state: MessagesState) -> dict[str, Any]:
    """The tool node of LangGraph's quickstart."""
    tools = {each.name: each for each in (slow, fail, ask, consult)}
    results = []
    asked = state["messages"][-1]
    assert isinstance(asked, AIMessage)
    for wanted in asked.tool_calls:
        observation = await tools[wanted["name"]].ainvoke(wanted["args"])
        results.append(ToolMessage(observation, tool_call_id=wanted["id"]))
    return {"messages": results}


def _react(tools: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_node("tools", tools)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile()


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it has moved to langchain.agents, and is in wide use
    prebuilt = create_react_agent(Scripted(says=lambda messages: agent_says(messages)), [slow, fail, ask, consult])

react = _react(ToolNode([slow, fail, ask, consult], handle_tool_errors=True))
hands = _react(by_hand)

nested_builder = StateGraph(MessagesState)
nested_builder.add_node("helper", react)
nested_builder.add_edge(START, "helper")
nested = nested_builder.compile()


async def ask_thrice(state: MessagesState) -> dict[str, Any]:
    """Three questions in one node, as a wizard has them."""
    kept = [name for name in ("photos", "letters", "books") if not interrupt(f"Delete the {name}?")]
    return {"messages": [AIMessage(f"Kept: {', '.join(kept)}.")]}


wizard = _one_node(ask_thrice)
with_own_builder = StateGraph(MessagesState)
with_own_builder.add_node("ask", ask_thrice)
with_own_builder.add_edge(START, "ask")
wizard_with_its_own = with_own_builder.compile(InMemorySaver())


# -- graphs that go wrong --------------------------------------------------------------------------------------------


async def raising(state: MessagesState) -> dict[str, Any]:
    raise RuntimeError("the model is gone")


async def again(state: MessagesState) -> Command[Literal["answer"]]:
    return Command(goto="answer")


async def silent(state: MessagesState) -> dict[str, Any]:
    return {}


broken = _one_node(raising)
mute = _one_node(silent)
endless = _one_node(again).with_config(recursion_limit=7)

stopping_builder = StateGraph(MessagesState)
stopping_builder.add_node("prepare", silent)
stopping_builder.add_node("speak", speak)
stopping_builder.add_edge(START, "prepare")
stopping_builder.add_edge("prepare", "speak")
stopping = stopping_builder.compile(interrupt_before=["speak"])
