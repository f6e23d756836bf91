"""A reply that is cut anywhere leaves a memory that is in order."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, HumanMessage

from voicebot.brain import CallTool, Moved, Say
from voicebot.brain.graph import RESPOND, Words, compiled
from voicebot.brain.history import NOT_RUN
from voicebot.brain.jobs import Jobs
from voicebot.brain.session import GraphBrain, Mind
from voicebot.brain.thread import answered
from voicebot.brain.tools import Function, Toolbox
from voicebot.brain.turn import Turn
from voicebot.llm import LLM

CALL = {"name": "look", "args": {}, "id": "1", "type": "tool_call"}


async def look() -> str:
    """Look it up."""
    await asyncio.sleep(0.05)
    return "found"


def a_turn() -> Turn:
    return Turn(Jobs(Toolbox([Function.of(look, "look")])), HumanMessage("hi", id="caller"))


def test_a_tool_call_that_was_cut_before_it_began_is_answered():
    turn = a_turn()
    asking = AIMessage("One moment.", id="a", tool_calls=[CALL])
    list(turn.take("updates", {RESPOND: {"messages": [asking]}}))
    turn.hear("One moment.", interrupted=True)
    assert [m.text for m in answered(turn.remembered())] == ["hi", "One moment.", NOT_RUN]


async def test_a_tool_call_that_runs_is_answered_when_it_is_done():
    turn = a_turn()
    list(turn.take("updates", {RESPOND: {"messages": [AIMessage("Wait.", id="a", tool_calls=[CALL])]}}))
    turn.jobs.start(CallTool("1", "look", {}))
    turn.hear("Wait.", interrupted=True)
    assert [m.text for m in answered(turn.remembered(), turn.jobs.running)] == ["hi", "Wait."]
    await turn.jobs.wait()
    assert [m.text for m in answered(turn.remembered())] == ["hi", "Wait.", "found"]


def test_a_message_that_was_said_piece_by_piece_is_not_said_again():
    turn = a_turn()
    whole = AIMessage("One two", id="a")
    said = [*turn.take("custom", Words("a", "One")), *turn.take("custom", Words("a", " two"))]
    said += turn.take("messages", (whole, {"langgraph_node": RESPOND}))
    assert said == [Say("One"), Say(" two")]


def test_another_message_of_the_same_reply_begins_with_a_gap():
    turn = a_turn()
    parts = [*turn.take("custom", Words("a", "See.")), *turn.take("messages", (AIMessage("Done.", id="b"), {}))]
    assert parts == [Say("See."), Say(" Done.")]


def test_what_a_tools_own_model_says_is_not_spoken():
    assert not list(a_turn().take("messages", (AIMessage("thinking", id="a"), {"langgraph_node": "tools"})))


def test_a_flow_says_where_it_is_and_other_nodes_are_named():
    turn = a_turn()
    moved = list(turn.take("updates", {RESPOND: {"flow": {"step": "book.day", "slots": {"day": "x"}, "more": 1}}}))
    assert moved == [Moved("book.day", {"day": "x"})]
    assert list(turn.take("updates", {"lookup": None})) == [Moved("lookup")]


async def test_where_a_flow_was_survives_a_cut_while_its_tool_runs():
    seen: list[dict[str, Any]] = []

    async def flow(state: dict[str, Any]) -> dict[str, Any]:
        seen.append(state.get("flow", {}))
        first = len(seen) == 1
        calls = [CALL] if first else []
        return {
            "messages": [AIMessage("One moment.", id=uuid4().hex, tool_calls=calls)],
            "flow": {"step": f"step {len(seen)}", "slots": {}},
        }

    async def no_models() -> list[LLM]:
        return []

    mind = Mind(compiled(flow), Toolbox([Function.of(look, "look")]), "en")
    brain = GraphBrain(mind, "call", "flow", no_models)
    async with aclosing(brain.reply("look")) as reply:
        async for output in reply:
            if isinstance(output, CallTool):
                break
    await brain.heard("One", interrupted=True)
    async for _ in brain.reply("and now"):
        pass
    assert seen[1]["step"] == "step 1"
    assert [m.text for m in await brain.messages()] == ["look", "One", "found", "and now", "One moment."]
    await brain.close()
