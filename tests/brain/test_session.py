"""A call's brain over the real graph, the real SDK and a loopback server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import GREETING, a_call, llm_agent, outputs_of, words
from voicebot.brain import CallTool, Failed, HandOver, HangUp, Output, Say, ToolResult, Used
from voicebot.brain.graph import TOOL_ROUNDS
from voicebot.brain.history import CONNECTED
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain

BOOK = '''
from typing import Any

booked: list[str] = []

def book(day: str) -> dict[str, Any]:
    """Book a day."""
    booked.append(day)
    return {"outcome": "booked", "day": day}
'''


def kinds(outputs: list[Output]) -> list[type[Output]]:
    """The kinds of output in order, the pieces of a text as one, and what it cost aside."""
    found: list[type[Output]] = []
    for output in outputs:
        if not isinstance(output, Used) and not (found and found[-1] is Say and isinstance(output, Say)):
            found.append(type(output))
    return found


async def test_tokens_are_said_as_they_come_and_only_once(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("We open at eight.", token_s=0.05)) as server,
        a_call(llm_agent(tmp_path, server)) as brain,
    ):
        said = [(output, server.open) async for output in brain.reply("when do you open")]
        *pieces, (used, _) = said
        assert [output for output, _ in pieces] == [Say("We"), Say(" open"), Say(" at"), Say(" eight.")]
        assert isinstance(used, Used)
        assert said[0][1] == 1, "the first word is out while the server still answers"
        assert [m.text for m in await brain.messages()] == [GREETING, "when do you open", "We open at eight."]


async def test_the_model_is_sent_prompt_greeting_and_turns(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("Eight."), answer("Five.")) as server,
        a_call(llm_agent(tmp_path, server)) as brain,
    ):
        await outputs_of(brain, "when do you open")
        await outputs_of(brain, "and close")
    first, second = (request["messages"] for request in server.requests)
    assert [m["role"] for m in second] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "You are Ava." in second[0]["content"]
    assert [m["content"] for m in second[1:]] == [CONNECTED, GREETING, "when do you open", "Eight.", "and close"]
    assert second[: len(first)] == first, "a provider can cache what it has seen"
    assert server.requests[0]["model"] == "double"
    assert server.requests[0]["stream"] is True


async def test_a_greeting_is_said_and_remembered(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hi.")) as server:
        brain = open_brain(llm_agent(tmp_path, server), "c")
        assert [output async for output in brain.greet()] == [Say(GREETING)]
        assert isinstance(brain, GraphBrain)
        assert [m.text for m in await brain.messages()] == [GREETING]
        await brain.heard("Hello, this", interrupted=True)
        assert [m.text for m in await brain.messages()] == ["Hello, this"]
        await brain.close()


async def test_an_agent_without_a_greeting_waits_for_the_caller(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hi.")) as server, a_call(llm_agent(tmp_path, server, greeting=None)) as brain:
        assert [output async for output in brain.greet()] == []
        await outputs_of(brain, "hello")
    assert [m["role"] for m in server.requests[0]["messages"]] == ["system", "user"]


async def test_a_tool_runs_between_two_pieces_of_a_reply(tmp_path: Path):
    answers = answer("One moment.", ("book", {"day": "Tuesday"})), answer("You are booked.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, BOOK)) as brain:
        outputs = await outputs_of(brain, "tuesday please")
        assert kinds(outputs) == [Say, CallTool, ToolResult, Say]
        asked, result = (output for output in outputs if isinstance(output, CallTool | ToolResult))
        assert asked == CallTool("call_0", "book", {"day": "Tuesday"})
        assert isinstance(result, ToolResult)
        assert (result.id, result.ok, result.result) == ("call_0", True, {"outcome": "booked", "day": "Tuesday"})
        assert [m.type for m in await brain.messages()] == ["ai", "human", "ai", "tool", "ai"]
    offered = [tool["function"]["name"] for tool in server.requests[0]["tools"]]
    assert offered == ["book", "end_call"]
    assert server.requests[1]["messages"][-1] == {
        "role": "tool",
        "tool_call_id": "call_0",
        "content": '{"outcome":"booked","day":"Tuesday"}',
    }


async def test_tools_of_one_answer_run_side_by_side(tmp_path: Path):
    meet = "import threading\nboth = threading.Barrier(2, timeout=5)\n" + BOOK.replace(
        "    booked", "    both.wait()\n    booked"
    )
    twice = answer("", ("book", {"day": "Monday"}), ("book", {"day": "Friday"}))
    async with (
        OpenAIEndpoint(twice, answer("Both.")) as server,
        a_call(llm_agent(tmp_path, server, meet)) as brain,
    ):
        await outputs_of(brain, "monday and friday")
    assert [m["content"] for m in server.requests[1]["messages"] if m["role"] == "tool"] == [
        '{"outcome":"booked","day":"Monday"}',
        '{"outcome":"booked","day":"Friday"}',
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ('{"day": "Tue', 'book was not run: its arguments are not a JSON object: {"day": "Tue'),
        ('["Tuesday"]', "book was not run: its arguments are not a JSON object"),
        ('{"dya": "Tuesday"}', "day: Field required; dya: Extra inputs are not permitted"),
    ],
)
async def test_malformed_arguments_are_told_to_the_model_and_nothing_is_booked(
    tmp_path: Path, arguments: str, complaint: str
):
    answers = answer("", ("book", arguments)), answer("Which day?")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, BOOK)) as brain:
        outputs = await outputs_of(brain, "book it")
    (result,) = (output for output in outputs if isinstance(output, ToolResult))
    assert not result.ok
    assert words(outputs) == "Which day?"
    told = server.requests[1]["messages"][-1]
    assert told["role"] == "tool"
    assert complaint in told["content"]


async def test_a_tool_that_fails_is_told_to_the_model_and_the_call_goes_on(tmp_path: Path):
    broken = BOOK.replace("booked.append(day)", "raise RuntimeError('no database')")
    answers = answer("", ("book", {"day": "x"})), answer("I cannot book now.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, broken)) as brain:
        outputs = await outputs_of(brain, "book it")
    (result,) = (output for output in outputs if isinstance(output, ToolResult))
    assert (result.ok, result.result) == (False, "book failed: RuntimeError: no database")
    assert words(outputs) == "I cannot book now."


async def test_a_model_that_only_calls_tools_is_made_to_answer(tmp_path: Path):
    def always(body: dict[str, Any]) -> Answer:
        return answer("All right.") if body["tool_choice"] == "none" else answer("", ("book", {"day": "x"}))

    async with OpenAIEndpoint(always) as server, a_call(llm_agent(tmp_path, server, BOOK)) as brain:
        outputs = await outputs_of(brain, "book it")
    assert sum(isinstance(output, ToolResult) for output in outputs) == TOOL_ROUNDS
    assert words(outputs) == "All right."
    assert len({output.id for output in outputs if isinstance(output, CallTool)}) == TOOL_ROUNDS, "ids are not reused"


async def test_a_model_that_does_not_stop_calling_tools_costs_one_apology(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("", ("book", {"day": "x"}))) as server,
        a_call(llm_agent(tmp_path, server, BOOK)) as brain,
    ):
        outputs = await outputs_of(brain, "book it")
        assert isinstance(outputs[-2], Failed)
        assert "something went wrong" in words(outputs)
        assert len(server.requests) < 2 * TOOL_ROUNDS
        assert all(m.tool_calls == [] for m in (await brain.messages())[-1:] if isinstance(m, AIMessage))


async def test_hanging_up_comes_after_the_goodbye(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("Goodbye!", ("end_call", {"reason": "done"}))) as server,
        a_call(llm_agent(tmp_path, server)) as brain,
    ):
        outputs = await outputs_of(brain, "bye")
    assert kinds(outputs) == [Say, CallTool, ToolResult, HangUp]
    assert outputs[-1] == HangUp("done")
    assert len(server.requests) == 1, "after the goodbye the model is not asked again"


async def test_a_model_that_hangs_up_without_a_word_is_asked_for_one(tmp_path: Path):
    answers = answer("", ("end_call", {})), answer("Goodbye!")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server)) as brain:
        outputs = await outputs_of(brain, "bye")
    assert kinds(outputs) == [CallTool, ToolResult, Say, HangUp]


async def test_the_caller_is_told_before_being_handed_over(tmp_path: Path):
    handoff = {"to": "reception", "say": "I'll put you through."}
    async with (
        OpenAIEndpoint(answer("", ("hand_over", {"reason": "angry"}))) as server,
        a_call(llm_agent(tmp_path, server, handoff=handoff)) as brain,
    ):
        outputs = await outputs_of(brain, "a human please")
    assert words(outputs) == "I'll put you through."
    assert outputs[-1] == HandOver("reception", "angry")
    assert len(server.requests) == 1


async def test_an_agent_without_a_handoff_does_not_offer_one(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hi.")) as server, a_call(llm_agent(tmp_path, server)) as brain:
        await outputs_of(brain, "hello")
    assert [tool["function"]["name"] for tool in server.requests[0]["tools"]] == ["end_call"]


async def test_two_calls_at_once_share_nothing(tmp_path: Path):
    def echo(body: dict[str, Any]) -> Answer:
        return answer(" ".join(m["content"] for m in body["messages"] if m["role"] == "user"), token_s=0.002)

    async with OpenAIEndpoint(echo) as server:
        agent = llm_agent(tmp_path, server)

        async def caller(number: int) -> list[str]:
            async with a_call(agent, f"call-{number}") as brain:
                replies = [words(await outputs_of(brain, f"caller {number} turn {turn}")) for turn in range(3)]
                assert len(await brain.messages()) == 7
                return replies

        calls = await asyncio.gather(*(caller(number) for number in range(8)))
    for number, replies in enumerate(calls):
        assert replies[2] == " ".join([CONNECTED, *(f"caller {number} turn {turn}" for turn in range(3))])


async def test_a_call_leaves_nothing_behind(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("", ("book", {"day": "x"})), answer("Done.")) as server,
        a_call(llm_agent(tmp_path, server, BOOK)) as brain,
    ):
        await outputs_of(brain, "book it")
        await brain.heard("Do", interrupted=True)
        kept: Any = (await brain._talk.thread.open()).checkpointer
        assert len(kept.storage) == 1
    assert not kept.storage
    assert not kept.blobs
    assert not kept.writes


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
