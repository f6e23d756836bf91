"""Graphs that somebody else wrote: what of them is spoken, what their tools do, what they remember after a cut."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from tests.doubles.guests import SHAPES, guest, say
from tests.doubles.project import words
from tests.graphs_of_others.shapes import RAN, TALE
from voicebot.brain import CallTool, Failed, Moved, Output, ToolResult
from voicebot.brain.checkpoints import LatestSaver
from voicebot.brain.heard import INTERRUPTED
from voicebot.brain.history import CONNECTED, CUT_IN, SILENT
from voicebot.brain.session import GraphBrain

WITH_THEIR_OWN = [
    *("subclass", "pydantic", "adding", "plain", "supervisor"),
    *("copying", "returning", "dicts", "pairs", "react", "prebuilt"),
]
"""Whose messages hold what was said under its own message."""


@pytest.fixture(autouse=True)
def nothing_has_run() -> None:
    RAN.clear()


async def texts(brain: GraphBrain) -> list[str]:
    return [str(message.text) for message in await brain.messages()][2:]


def deeds(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(type(each).__name__, each.name) for each in outputs if isinstance(each, CallTool | ToolResult)]


@pytest.mark.parametrize("shape", [*WITH_THEIR_OWN, "calling", "reasoning", "routing", "nested", "hands"])
async def test_each_word_is_spoken_once(shape: str):
    async with guest(shape) as brain:
        assert words(await say(brain, "tell")) == TALE


@pytest.mark.parametrize("shape", WITH_THEIR_OWN)
@pytest.mark.parametrize("heard", ["One two", "", "One two three four five six seven eight."])
async def test_after_a_cut_the_thread_holds_what_was_heard_and_goes_on(shape: str, heard: str):
    async with guest(shape) as brain:
        await say(brain, "tell", heard)
        kept = ["tell", heard] if heard else ["tell"]
        assert await texts(brain) == kept
        (last,) = (await brain.messages())[-1:]
        assert (INTERRUPTED in last.additional_kwargs) == (heard == "One two")
        state = await brain._talk.thread.state()
        assert not state.next, "nothing is left to be done"
        ran = RAN.copy()
        assert words(await say(brain, "and now")) == "Yes?"
        said = f"{CUT_IN}\nand now" if heard == "One two" else "and now"
        assert await texts(brain) == [*kept, said, "Yes?"]
        assert RAN[: len(ran)] == ran


async def test_words_kept_under_another_name_are_cut_too():
    async with guest("calling") as brain:
        await say(brain, "tell", "One two")
        assert await texts(brain) == ["tell", "One two"]


async def test_reasoning_stays_in_the_message_of_which_words_are_cut():
    async with guest("reasoning") as brain:
        await say(brain, "tell", "One two")
        last = (await brain.messages())[-1]
        assert last.text == "One two"
        assert [block["type"] for block in last.content if isinstance(block, dict)] == ["thinking", "text"]


@pytest.mark.parametrize(("shape", "turns"), [("subclass", 3), ("pydantic", 3), ("adding", 3), ("plain", 3)])
async def test_its_own_keys_survive_turns_and_cuts(shape: str, turns: int):
    async with guest(shape) as brain:
        await say(brain, "tell", "One")
        await say(brain, "tell", "")
        await say(brain, "tell")
        assert (await brain._talk.thread.state()).values["turns"] == turns


async def test_putting_the_thread_right_runs_no_router():
    async with guest("supervisor") as brain:
        await say(brain, "tell", "One two")
        assert RAN == ["choose", "speak"]


async def test_the_conversation_begins_with_the_caller_and_silence_is_said_in_words():
    async with guest("react") as brain:
        assert [m.text for m in await brain.messages()] == [CONNECTED, "Hello."]
        await say(brain, "")
        assert (await texts(brain))[0] == SILENT


async def cut_while_it_works(brain: GraphBrain, text: str, until: type[Output]) -> list[Output]:
    outputs: list[Output] = []
    async with aclosing(brain.reply(text)) as reply:
        async for output in reply:
            outputs.append(output)
            if isinstance(output, until):
                break
    return outputs


async def test_a_reply_cut_while_it_is_made_ends_and_nothing_is_left_to_do():
    async with guest("supervisor") as brain:
        async with aclosing(brain.reply("tell")) as reply:
            assert [await anext(reply), await anext(reply)]
        await brain.heard("One", interrupted=True)
        assert await texts(brain) == ["tell", "One"]
        assert not (await brain._talk.thread.state()).next


@pytest.mark.parametrize("shape", ["react", "hands", "nested", "prebuilt"])
async def test_tools_are_told_once_each_with_their_results(shape: str):
    async with guest(shape) as brain:
        outputs = await say(brain, "slow")
        assert words(outputs) == "Let me see. The last result is: done Monday"
        assert deeds(outputs) == [("CallTool", "slow"), ("ToolResult", "slow")]
        (called,) = [each for each in outputs if isinstance(each, CallTool)]
        (result,) = [each for each in outputs if isinstance(each, ToolResult)]
        assert called.arguments == {"day": "Monday"}
        assert result.id == called.id
        assert result.ok
        assert result.result == "done Monday"
        assert 95 < result.duration_ms < 400
        assert deeds(await say(brain, "slow")) == deeds(outputs), "and so in the next turn"


async def test_a_tool_that_fails_is_told_to_have_failed():
    async with guest("react") as brain:
        results = {each.name: each for each in await say(brain, "both") if isinstance(each, ToolResult)}
        assert {name: each.ok for name, each in results.items()} == {"fail": False, "slow": True}
        assert results["fail"].duration_ms < 90 < results["slow"].duration_ms


async def test_what_is_said_inside_a_tool_is_not_spoken():
    async with guest("react") as brain:
        assert words(await say(brain, "consult")) == "Let me see. The last result is: I am a tool. 2"


@pytest.mark.parametrize("shape", ["react", "hands", "nested"])
async def test_a_tool_that_has_started_completes_when_the_caller_cuts_in_and_nothing_follows_it(shape: str):
    async with guest(shape) as brain:
        outputs = await cut_while_it_works(brain, "slow", CallTool)
        await asyncio.sleep(0.02)
        assert RAN[-1] == "begins Monday"
        await brain.heard("Let", interrupted=True)
        later = await say(brain, "wait")
        assert RAN == ["agent", "begins Monday", "ends Monday", "agent"], "the model was not asked about the old result"
        assert deeds([*outputs, *later]) == [("CallTool", "slow"), ("ToolResult", "slow")]
        assert await texts(brain) == ["slow", "Let", "done Monday", f"{CUT_IN}\nwait", "Yes?"]


async def test_a_tool_call_that_never_began_is_answered_in_its_place():
    async with guest("react") as brain:
        async with aclosing(brain.reply("slow")) as reply:
            async for output in reply:
                if isinstance(output, CallTool):
                    break
        await brain.heard("", interrupted=True)
        await say(brain, "wait")
        assert_answered(await brain.messages())


def assert_answered(messages: list[AnyMessage]) -> None:
    for place, message in enumerate(messages):
        for offset, call in enumerate(getattr(message, "tool_calls", ()), 1):
            result = messages[place + offset]
            assert isinstance(result, ToolMessage)
            assert result.tool_call_id == call["id"]


@pytest.mark.parametrize(
    ("shape", "why"), [("broken", "the model is gone"), ("endless", "recursion"), ("mute", "word")]
)
async def test_a_graph_that_fails_costs_an_apology_and_not_the_call(shape: str, why: str):
    async with guest(shape) as brain:
        for _ in range(2):
            outputs = await say(brain, "tell")
            assert "sorry" in words(outputs)
            (failed,) = [each for each in outputs if isinstance(each, Failed)]
            assert failed.provider == f"{SHAPES}:{shape}"
            assert why in failed.error
        assert not (await brain._talk.thread.state()).next
        assert [m.type for m in await brain.messages()] == ["human", "ai"] * 3


async def test_a_breakpoint_asks_whether_to_go_on():
    async with guest("stopping") as brain:
        assert words(await say(brain, "tell")) == "Shall I go ahead?"
        assert words(await say(brain, "yes")) == TALE
        assert words(await say(brain, "tell")) == "Shall I go ahead?"
        assert words(await say(brain, "no, tell me about something else")) == "Shall I go ahead?"
        assert (await texts(brain))[-1] == "no, tell me about something else"


async def test_nodes_are_named():
    async with guest("pydantic") as brain:
        assert [each.node for each in await say(brain, "tell") if isinstance(each, Moved)] == ["count", "speak"]


async def test_two_calls_share_nothing():
    async with guest("react") as one, guest("react") as two:
        await say(one, "tell", "One")
        assert await texts(two) == []


# -- questions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["react", "nested", "hands"])
async def test_a_question_is_asked_and_its_answer_goes_back(shape: str):
    async with guest(shape) as brain:
        asking = await say(brain, "ask")
        assert words(asking) == "Let me see. Is Monday right?"
        (moved,) = [each for each in asking if isinstance(each, Moved) and each.node == "__interrupt__"]
        assert moved.slots["question"] == "Is Monday right?"
        answering = await say(brain, "It is.")
        assert words(answering) == "The last result is: Monday: It is."
        assert deeds([*asking, *answering]) == [("CallTool", "ask"), ("ToolResult", "ask")]
        assert await texts(brain) == ["ask", "Let me see.", "Monday: It is.", "The last result is: Monday: It is."]


async def test_several_questions_are_asked_one_after_the_other():
    async with guest("prebuilt") as brain:
        assert words(await say(brain, "ask twice")) == "Let me see. Is Monday right?"
        assert words(await say(brain, "")) == "Is Monday right?"
        assert words(await say(brain, "aye")) == "Is Tuesday right?"
        assert words(await say(brain, "nay")) == "The last result is: Tuesday: nay"
        assert RAN == ["asks Monday", "asks Tuesday"] * 2, "once to ask, once with the answer"
        results = [m.text for m in await brain.messages() if isinstance(m, ToolMessage)]
        assert results == ["Monday: aye", "Tuesday: nay"]


async def test_a_tool_that_is_done_does_not_run_again_for_the_answer_to_another():
    async with guest("prebuilt") as brain:
        await say(brain, "mixed")
        await say(brain, "aye")
        assert RAN.count("asks Tuesday") == 2
        assert RAN.count("begins Monday") == 1


@pytest.mark.parametrize("shape", ["wizard", "wizard_with_its_own"])
async def test_a_no_stays_a_no_when_the_node_asks_again(shape: str):
    async with guest(shape) as brain:
        assert words(await say(brain, "clean up")) == "Delete the photos?"
        assert words(await say(brain, "no thanks")) == "Delete the letters?"
        assert words(await say(brain, "yes")) == "Delete the books?"
        assert words(await say(brain, "please don't")) == "Kept: photos, books."


async def test_nested_graphs_leave_nothing_behind_from_turn_to_turn():
    async with guest("nested") as brain:
        for _ in range(3):
            await say(brain, "slow")
        saver = (await brain._talk.thread.open()).checkpointer
        assert isinstance(saver, LatestSaver)
        assert list(saver.storage["call-1"]) == [""]


@pytest.mark.parametrize("shape", ["react", "nested"])
async def test_words_before_a_question_that_were_not_heard_are_cut_once_it_is_answered(shape: str):
    async with guest(shape) as brain:
        await say(brain, "ask", heard="Let me")
        assert words(await say(brain, "what?")) == "Is Monday right?"
        await say(brain, "aye")
        last = "The last result is: Monday: aye"
        assert await texts(brain) == ["ask", "Let me", "Monday: aye", last]


async def test_an_answer_that_is_cut_short_leaves_what_was_heard():
    async with guest("react") as brain:
        await say(brain, "ask")
        await say(brain, "aye", heard="The last")
        assert await texts(brain) == ["ask", "Let me see.", "Monday: aye", "The last"]
        ai = [m for m in await brain.messages() if isinstance(m, AIMessage)]
        assert [INTERRUPTED in m.additional_kwargs for m in ai] == [False, False, True]
