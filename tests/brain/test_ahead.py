"""The model is asked before it is sure that the caller has finished; a wrong guess leaves nothing but its bill."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import GREETING, a_call, llm_agent, outputs_of, words
from voicebot.brain import Output, ToolResult, Used

SLOW = '''
import asyncio

async def look_up(day: str) -> str:
    """Look up a day."""
    await asyncio.sleep(0.4)
    return "free"
'''


def used(outputs: list[Output]) -> list[Used]:
    return [output for output in outputs if isinstance(output, Used)]


async def until(server: OpenAIEndpoint, requests: int) -> None:
    async with asyncio.timeout(2):
        while len(server.requests) < requests:  # noqa: ASYNC110 - the requests are a plain list
            await asyncio.sleep(0.01)


async def test_the_answer_to_a_right_guess_is_there_when_the_turn_is_over(tmp_path: Path):
    server = OpenAIEndpoint(answer("We open at eight.", first_s=0.4))
    async with server, a_call(llm_agent(tmp_path, server)) as brain:
        await brain.prepare("when do you open")
        await asyncio.sleep(0.5)
        began = asyncio.get_running_loop().time()
        outputs = await outputs_of(brain, "When do you open?")
        assert asyncio.get_running_loop().time() - began < 0.2
        assert words(outputs) == "We open at eight."
        assert [m.text for m in await brain.messages()] == [GREETING, "When do you open?", "We open at eight."]
    assert len(server.requests) == 1
    assert len(used(outputs)) == 1
    assert server.hung_up_at == []


async def test_a_guess_that_is_still_being_answered_is_taken_over(tmp_path: Path):
    server = OpenAIEndpoint(answer("one two three four", first_s=0.1, token_s=0.1))
    async with server, a_call(llm_agent(tmp_path, server)) as brain:
        await brain.prepare("count")
        await asyncio.sleep(0.15)
        assert words(await outputs_of(brain, "count")) == "one two three four"
    assert len(server.requests) == 1


async def test_nothing_is_said_or_remembered_before_the_turn_is_over(tmp_path: Path):
    server = OpenAIEndpoint(answer("", ("look_up", {"day": "Monday"})), answer("Monday is free."))
    async with server, a_call(llm_agent(tmp_path, server, SLOW)) as brain:
        await brain.prepare("is monday free")
        await asyncio.sleep(0.3)
        assert [m.text for m in await brain.messages()] == [GREETING]
        assert len(server.requests) == 1, "no tool has run, so the model was not asked again"
        outputs = await outputs_of(brain, "is monday free")
        assert [output.ok for output in outputs if isinstance(output, ToolResult)] == [True]
        assert words(outputs) == "Monday is free."
    assert len(server.requests) == 2


async def test_a_caller_who_goes_on_ends_the_request_at_once(tmp_path: Path):
    server = OpenAIEndpoint(answer("Never said.", first_s=60), answer("We open at eight."))
    async with server, a_call(llm_agent(tmp_path, server)) as brain:
        await brain.prepare("when do you")
        await until(server, 1)
        began = asyncio.get_running_loop().time()
        await brain.prepare("")
        await asyncio.sleep(0.05)
        assert server.hung_up_at[0] - began < 0.05
        outputs = await outputs_of(brain, "when do you open")
        assert words(outputs) == "We open at eight."
    lost, answered = used(outputs)
    assert lost.estimated, "a guess thrown away is paid for too"
    assert lost.input_tokens > 0
    assert lost.output_tokens == 0
    assert answered.output_tokens > 0


async def test_other_words_than_guessed_are_asked_anew(tmp_path: Path):
    server = OpenAIEndpoint(answer("Never said.", first_s=60), answer("Until five."))
    async with server, a_call(llm_agent(tmp_path, server)) as brain:
        await brain.prepare("when do you open")
        await until(server, 1)
        assert words(await outputs_of(brain, "when do you close")) == "Until five."
    assert len(server.requests) == 2
    assert server.hung_up_at


async def test_the_same_guess_twice_is_one_request(tmp_path: Path):
    server = OpenAIEndpoint(answer("Eight.", first_s=0.2))
    async with server, a_call(llm_agent(tmp_path, server)) as brain:
        await brain.prepare("when do you open")
        await until(server, 1)
        await brain.prepare("When do you open?")
        assert words(await outputs_of(brain, "when do you open")) == "Eight."
    assert len(server.requests) == 1


async def test_a_guess_that_failed_is_a_failure_like_any_other(tmp_path: Path):
    server = OpenAIEndpoint(answer(status=500), answer("We open at eight."))
    async with server, a_call(llm_agent(tmp_path, server)) as brain:
        await brain.prepare("hello")
        await until(server, 1)
        assert words(await outputs_of(brain, "hello")) == "We open at eight."


async def test_nothing_is_guessed_while_a_tool_still_runs(tmp_path: Path):
    server = OpenAIEndpoint(answer("One moment.", ("look_up", {"day": "Monday"})), answer("It is free."))
    async with server, a_call(llm_agent(tmp_path, server, SLOW)) as brain:
        async for output in brain.reply("is monday free"):
            if type(output).__name__ == "CallTool":
                break
        await brain.heard("One moment.", interrupted=True)
        await brain.prepare("hello")
        await asyncio.sleep(0.1)
        assert len(server.requests) == 1


async def test_an_agent_can_do_without(tmp_path: Path):
    server = OpenAIEndpoint(answer("We open at eight."))
    async with server:
        agent = llm_agent(tmp_path, server)
        careful = agent.model_copy(update={"brain": agent.brain.model_copy(update={"speculative": False})})
        async with a_call(careful) as brain:
            await brain.prepare("hello")
            await asyncio.sleep(0.1)
            assert server.requests == []


async def test_hanging_up_ends_the_guess_and_counts_it(tmp_path: Path):
    server = OpenAIEndpoint(answer("Never said.", first_s=60))
    async with server:
        async with a_call(llm_agent(tmp_path, server)) as brain:
            await brain.prepare("hello")
            await until(server, 1)
            assert [type(late) for late in await brain.close()] == [Used]
        await asyncio.sleep(0.05)
        assert server.hung_up_at
