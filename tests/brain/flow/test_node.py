"""The dialogue inside the real LangGraph graph, as calls run it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.doubles.text_call import TODAY, TextCall, Today
from voicebot.agent import Agent
from voicebot.brain import CallTool, HandOver, HangUp, Moved, Output, Say
from voicebot.brain.flow.node import FlowMind, flow_node, settles
from voicebot.brain.graph import compiled
from voicebot.brain.session import GraphBrain, Mind
from voicebot.brain.tools import Function, toolbox_of
from voicebot.errors import BadInput

OPENING = "i'd like to book a cleaning next tuesday at half past two for maria lopez"


@pytest.fixture
def brain(call: TextCall) -> GraphBrain:
    agent = Agent.load(call.root / "agents" / "ava.yaml")
    flow = FlowMind(agent, today=lambda: TODAY)
    toolbox = toolbox_of(agent, endings_hidden=True)
    for tool in toolbox:
        if isinstance(tool, Function):
            tool.function.__globals__["date"] = Today
    mind = Mind(compiled(flow.respond), toolbox, "en", agent.greeting, flow.settles)
    return GraphBrain(mind, "call-1", "flow", _no_models)


async def _no_models() -> list[Any]:
    raise AssertionError("a flow needs no language model")


async def turn(brain: GraphBrain, text: str, *, heard: str | None = None) -> list[Output]:
    """A whole turn: the reply is spoken, and heard to the end or as far as `heard`."""
    outputs = [output async for output in _all(brain.reply(text))]
    said = "".join(output.text for output in outputs if isinstance(output, Say))
    await brain.heard(said if heard is None else heard, interrupted=heard is not None)
    return outputs


async def _all(stream: AsyncIterator[Output]) -> AsyncIterator[Output]:
    async for output in stream:
        yield output


def words(outputs: list[Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, Say))


async def test_books_through_the_graph(brain: GraphBrain, call: TextCall) -> None:
    await turn(brain, OPENING)
    reply = words(await turn(brain, "i'd rather not say"))
    assert reply.endswith("Shall I book it?")
    outputs = await turn(brain, "yes please")
    assert [output.name for output in outputs if isinstance(output, CallTool)] == ["book"]
    assert words(outputs).startswith("You're booked for a cleaning")
    (kept,) = call.kept("appointments.json")
    assert (kept["day"], kept["time"], kept["name"]) == ("2026-11-24", "14:30", "Maria Lopez")


async def test_says_where_it_is(brain: GraphBrain) -> None:
    moved = [output for output in await turn(brain, OPENING) if isinstance(output, Moved)]
    assert moved[-1].node == "book.phone"
    assert moved[-1].slots["name"] == "Maria Lopez"


async def test_yes_to_an_interrupted_confirmation_does_not_count(brain: GraphBrain, call: TextCall) -> None:
    await turn(brain, OPENING)
    await turn(brain, "i'd rather not say", heard="That's fine. So that's a cleaning on")
    reply = words(await turn(brain, "yes"))
    assert reply.endswith("Shall I book it?")
    assert call.kept("appointments.json") == []
    await turn(brain, "yes")
    assert len(call.kept("appointments.json")) == 1


async def test_yes_to_a_confirmation_of_which_nothing_was_heard_does_not_count(
    brain: GraphBrain, call: TextCall
) -> None:
    await turn(brain, OPENING)
    await turn(brain, "i'd rather not say", heard="")
    await turn(brain, "yes")
    assert call.kept("appointments.json") == []


async def test_question_before_the_yes_does_not_ask_twice(brain: GraphBrain, call: TextCall) -> None:
    await turn(brain, OPENING)
    await turn(brain, "i'd rather not say")
    await turn(brain, "how much is a cleaning")
    await turn(brain, "hold on")
    await turn(brain, "yes")
    assert len(call.kept("appointments.json")) == 1


async def test_what_a_tool_did_is_told_when_the_caller_spoke_meanwhile(brain: GraphBrain, call: TextCall) -> None:
    await turn(brain, OPENING)
    await turn(brain, "i'd rather not say")
    reply = brain.reply("yes")
    async for output in reply:
        if isinstance(output, CallTool):
            break
    await reply.aclose()
    await brain.heard("", interrupted=True)
    assert words(await turn(brain, "hello")).startswith("You're booked for a cleaning")
    assert len(call.kept("appointments.json")) == 1


async def test_hangs_up_and_hands_over(brain: GraphBrain) -> None:
    outputs = await turn(brain, "can i talk to a person")
    assert outputs[-1] == HandOver("reception", "asked for a person")
    assert words(outputs) == "One moment, I'll put you through to the front desk."
    outputs = await turn(brain, "goodbye")
    assert outputs[-1] == HangUp("goodbye")


async def test_failed_tool_leads_to_a_person(brain: GraphBrain, call: TextCall) -> None:
    await turn(brain, OPENING)
    await turn(brain, "i'd rather not say")
    (call.root / "data" / "appointments.json").write_text("{ broken")
    outputs = await turn(brain, "yes")
    assert words(outputs).startswith("I'm sorry, I can't reach our system right now.")
    assert isinstance(outputs[-1], HandOver)


async def test_turn_ends_early_only_for_sure_answers(brain: GraphBrain) -> None:
    await turn(brain, "i need a cleaning")
    assert brain.settles("next tuesday")
    assert not brain.settles("next tuesday at")
    assert not brain.settles("um")
    await turn(brain, "next tuesday")
    assert brain.settles("half past two")
    assert not brain.settles("two")
    await turn(brain, "half past two")
    assert brain.settles("maria lopez")
    assert not brain.settles("maria")
    await turn(brain, "maria lopez")
    assert brain.settles("two one two five five five oh one two three")
    assert not brain.settles("two one two five five")
    assert brain.settles("i'd rather not say")
    assert not brain.settles("i'd rather")
    await turn(brain, "i'd rather not say")
    assert brain.settles("yes please")
    assert not brain.settles("yes but")
    assert not brain.settles("no")


def test_agent_file_is_enough(call: TextCall) -> None:
    assert flow_node(call.agent) == flow_node(call.agent)
    state = call.dialogue.step({}, "i need a cleaning").state
    assert settles(call.agent, state, "next tuesday")
    assert not settles(call.agent, state, "next")


def test_state_is_json(call: TextCall) -> None:
    call.say(OPENING)
    assert json.loads(json.dumps(call.state)) == call.state


def test_agent_without_a_flow_is_refused() -> None:
    agent = Agent.model_validate({"name": "X", "brain": {"llm": "openai/gpt-4.1-mini", "prompt": "You are X."}})
    with pytest.raises(BadInput, match="has no flow"):
        FlowMind(agent)
