"""The in-process engine on real GGUF files: what it says, calls, costs, and when it stops."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("llama_cpp", reason="the extra 'llama' is not installed; get it with: make llama")

from langchain_core.exceptions import ContextOverflowError, ModelRateLimitError
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from voicebot.errors import BadInput, Unavailable
from voicebot.llm import fault, llama
from voicebot.llm.llama import engine as engines
from voicebot.llm.llama import machine, native
from voicebot.llm.llama.chat import ChatLlama
from voicebot.llm.llama.engine import Engine

STOP_MS = 50
ORDER = {
    "type": "function",
    "function": {
        "name": "order",
        "description": "Order a dish.",
        "parameters": {
            "type": "object",
            "properties": {"dish": {"type": "string"}, "sugar": {"type": "boolean", "default": False}},
            "required": ["dish"],
            "additionalProperties": False,
        },
    },
}
SYSTEM = SystemMessage("You are Ava. " + "Bright Smile Dental is open from eight to five. " * 20)
"""About 1000 tokens of the tiny models, whose tokens are single letters."""


async def opened(path: Path, **how: Any) -> ChatLlama:
    llm = await llama.connect(str(path), **{"temperature": 0.0, **how})
    assert isinstance(llm.model, ChatLlama)
    return llm.model


async def chunks(model: Any, *messages: BaseMessage) -> list[AIMessageChunk]:
    return [chunk async for chunk in model.astream(list(messages))]


async def text(model: Any, *messages: BaseMessage) -> str:
    return "".join(chunk.text for chunk in await chunks(model, *messages))


async def called(model: ChatLlama, asked: str, choice: str = "auto", tools: Sequence[Any] = (ORDER,)) -> AIMessage:
    answer: AIMessage = await model.bind_tools(tools, tool_choice=choice).ainvoke([HumanMessage(asked)])
    return answer


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test loads its model anew, so that what one leaves in the cache is nothing to the next; on one thread, so
    that other tests at work on this machine matter less."""
    monkeypatch.setattr(machine, "cores", lambda: 1)
    yield
    engines.close_all()


async def test_words_stream_and_the_end_says_what_was_used(tiny: Path):
    found = await chunks(await opened(tiny), HumanMessage("hi"))
    assert [chunk.text for chunk in found][:3] == ["Hello", " there,", " how"]
    assert found[-1].response_metadata["finish_reason"] == "stop"
    usage = found[-1].usage_metadata
    assert usage is not None
    assert usage["output_tokens"] == 8
    assert usage["input_tokens"] > 10


async def test_it_is_loaded_once_for_all_calls(tiny: Path):
    one, other = await asyncio.gather(opened(tiny), opened(tiny, temperature=0.5))
    assert one.engine is other.engine


async def test_a_call_is_read_out_of_what_the_model_writes(tiny: Path):
    answer = await called(await opened(tiny), "a soup please")
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("order", {"dish": "soup"})]
    assert answer.content == ""
    assert answer.response_metadata["finish_reason"] == "tool_calls"


async def test_a_call_that_breaks_its_schema_cannot_be_written(tiny: Path):
    """The model wants to write {"dish": 5, "sugar": "much"}."""
    arguments = (await called(await opened(tiny), "a cake please")).tool_calls[0]["args"]
    assert isinstance(arguments["dish"], str)
    assert arguments.keys() <= {"dish", "sugar"}
    assert arguments.get("sugar", True) in (True, False)


async def test_a_tool_that_does_not_exist_cannot_be_called(tiny: Path):
    answer = await called(await opened(tiny), "invent something")
    assert [call["name"] for call in answer.tool_calls] == ["order"]


async def test_words_before_a_call_are_spoken_and_the_call_is_not(tiny: Path):
    answer = await called(await opened(tiny), "check it")
    assert answer.content == "Let me see. "
    assert answer.tool_calls[0]["args"] == {"dish": "salad"}


async def test_with_tools_at_hand_it_may_just_speak(tiny: Path):
    answer = await called(await opened(tiny), "hi")
    assert (answer.content, answer.tool_calls) == ("Hello there, how can I help you today?", [])


async def test_without_tools_a_brace_is_a_word_like_any_other(tiny: Path):
    assert await text(await opened(tiny), HumanMessage("brace")) == "A brace { is a sign."


async def test_when_no_tool_may_be_called_no_call_is_written(tiny: Path):
    answer = await called(await opened(tiny), "check it", choice="none")
    assert answer.tool_calls == []
    assert "{" not in str(answer.content)
    assert str(answer.content).startswith("Let me see.")


@pytest.mark.parametrize("choice", ["any", "order"])
async def test_a_call_can_be_demanded(tiny: Path, choice: str):
    answer = await called(await opened(tiny), "hi", choice)
    assert [call["name"] for call in answer.tool_calls] == ["order"]
    assert answer.response_metadata["finish_reason"] == "tool_calls"


async def test_what_a_tool_returned_reaches_the_model(tiny: Path):
    asked = AIMessage("", tool_calls=[{"name": "order", "args": {"dish": "soup"}, "id": "call_1"}])
    result = ToolMessage('{"outcome": "ok"}', tool_call_id="call_1", name="order")
    model = (await opened(tiny)).bind_tools([ORDER])
    assert await text(model, HumanMessage("a soup please"), asked, result) == "Your soup is on its way."


async def test_a_schema_no_grammar_can_hold_still_gives_calls(tiny: Path):
    odd = json.loads(json.dumps(ORDER))
    odd["function"]["parameters"]["properties"]["dish"] = {"type": "string", "pattern": "(?=x)y"}
    answer = await called(await opened(tiny), "a soup please", tools=[odd])
    assert answer.tool_calls[0]["args"] == {"dish": "soup"}


async def test_stop_words_end_the_answer(tiny: Path):
    answer = await (await opened(tiny)).ainvoke([HumanMessage("hi")], stop=["can I"])
    assert answer.content == "Hello there, how "


async def test_an_answer_that_gets_too_long_is_cut_and_says_so(tiny: Path):
    found = await chunks(await opened(tiny), HumanMessage("long"))
    capped = await (await opened(tiny)).ainvoke([HumanMessage("long")], max_tokens=3)
    assert found[-1].response_metadata["finish_reason"] == "stop"
    assert (capped.content, capped.response_metadata["finish_reason"]) == ("word0 word1 word2", "length")


async def test_an_answer_ends_where_the_context_ends(narrow: Path):
    found = await chunks(await opened(narrow), HumanMessage("x" * 900))
    usage = found[-1].usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == 1024
    assert found[-1].response_metadata["finish_reason"] == "length"


async def test_a_prompt_longer_than_the_context_is_refused_as_such(tiny: Path):
    llm = await llama.connect(str(tiny))
    with pytest.raises(ContextOverflowError) as error:
        await llm.model.ainvoke([HumanMessage("x" * 10_000)])
    assert "holds 8192" in str(error.value)
    assert "no longer fits" in fault(error.value, llm).sentence


async def until_idle(engine: Engine) -> float:
    """Milliseconds of computing until nothing is computed any more. Not of waiting: other tests may have the core."""
    began = time.process_time()
    while engine.busy:  # noqa: ASYNC110 - a thread's state, looked at from outside
        await asyncio.sleep(0.001)
    return (time.process_time() - began) * 1000


async def test_closing_the_stream_stops_the_computing(gibberish: Path):
    model = await opened(gibberish)
    async with aclosing(stream_of(model, HumanMessage("hi"))) as stream:
        for _ in range(5):
            await anext(stream)
        assert model.engine.busy
    assert await until_idle(model.engine) < STOP_MS
    used = time.process_time()
    await asyncio.sleep(0.2)
    assert time.process_time() - used < 0.05


async def test_cancelling_stops_in_the_middle_of_reading_a_prompt(deep: Path, monkeypatch: pytest.MonkeyPatch):
    """All of the prompt is one computation here, so that only an abort can stop it."""
    monkeypatch.setattr(native, "STEP_TOKENS", 4096)
    model = await opened(deep)
    whole_ms, _ = await first_word(model, HumanMessage("x" * 1200))
    assert whole_ms > 4 * STOP_MS, "the prompt is read too quickly for this to show anything"
    for letter in "abc":
        asking = asyncio.create_task(text(model, HumanMessage(letter * 1200)))
        await asyncio.sleep(0.05)
        assert model.engine.busy
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await until_idle(model.engine) < STOP_MS


async def test_nothing_of_a_cancelled_request_is_left_in_the_next(gibberish: Path):
    question, long = HumanMessage("What time is it?"), HumanMessage("x" * 1500)
    wanted = await text(brief(await opened(gibberish)), SYSTEM, question)
    engines.close_all()
    model = brief(await opened(gibberish))
    for message in (long, question, long):
        for delay_s in (0.0, 0.02, 0.1):
            asking = asyncio.create_task(text(model, SYSTEM, message))
            await asyncio.sleep(delay_s)
            asking.cancel()
    assert await text(model, SYSTEM, question) == wanted


async def test_cancelling_one_call_does_not_disturb_another(gibberish: Path):
    """Both are computed in the same steps, so an abort takes the other's step with it, which is done again."""
    model = brief(await opened(gibberish))
    wanted = await text(model, SYSTEM)
    other = asyncio.create_task(text(model, SYSTEM))
    while not other.done():
        asking = asyncio.create_task(text(model, HumanMessage("x" * 500)))
        await asyncio.sleep(0.01)
        asking.cancel()
    assert await other == wanted


async def first_word(model: ChatLlama, *messages: BaseMessage) -> tuple[float, int]:
    """Milliseconds of computing to the first word, and how many tokens of the prompt were computed before."""
    began = time.process_time()
    took_ms, cached = 0.0, 0
    for_two_words = model.bind(max_tokens=2)
    async for chunk in for_two_words.astream(list(messages)):
        took_ms = took_ms or (time.process_time() - began) * 1000
        if chunk.usage_metadata:
            cached = chunk.usage_metadata["input_token_details"]["cache_read"]
    return took_ms, cached


async def test_the_next_turn_computes_only_what_is_new(gibberish: Path):
    model = await opened(gibberish)
    cold_ms, nothing = await first_word(model, SYSTEM, HumanMessage("hi"))
    warm_ms, cached = await first_word(model, SYSTEM, HumanMessage("hi"), AIMessage("Hello."), HumanMessage("Bye."))
    assert nothing == 0
    assert cached > 950
    assert warm_ms < cold_ms / 3


async def test_warming_up_reads_the_beginning_before_the_first_turn(gibberish: Path):
    model = await opened(gibberish)
    await model.warm([SYSTEM], [ORDER])
    bound = model.bind_tools([ORDER], tool_choice="none")
    found = await chunks(bound.bind(max_tokens=2), SYSTEM, HumanMessage("hi"))
    assert found[-1].usage_metadata is not None
    usage = found[-1].usage_metadata
    assert usage["input_tokens"] - usage["input_token_details"]["cache_read"] < 100


async def test_two_calls_at_once_say_what_each_would_say_alone(gibberish: Path):
    model = brief(await opened(gibberish))
    histories = [[SYSTEM, HumanMessage(f"I am caller {name}.")] for name in "abcd"]
    alone = [await text(model, *history) for history in histories]
    engines.close_all()
    model = brief(await opened(gibberish))
    assert await asyncio.gather(*(text(model, *history) for history in histories)) == alone


async def test_calls_that_take_turns_keep_what_was_computed_for_each(gibberish: Path):
    model = await opened(gibberish)
    histories: dict[str, list[BaseMessage]] = {name: [SYSTEM, HumanMessage(f"I am {name * 300}.")] for name in "abc"}
    for history in histories.values():
        await first_word(model, *history)
    for name, history in histories.items():
        history += [AIMessage("Hello."), HumanMessage("And now?")]
        _, cached = await first_word(model, *history)
        assert cached > 1250, name


async def test_calls_share_what_they_have_in_common(gibberish: Path):
    model = await opened(gibberish)
    await first_word(model, SYSTEM, HumanMessage("I am Ann."))
    _, cached = await first_word(model, SYSTEM, HumanMessage("Bob here."))
    assert cached > 950


async def test_a_short_question_does_not_wait_for_a_long_prompt(gibberish: Path):
    model = await opened(gibberish)
    long = asyncio.create_task(first_word(model, HumanMessage("x" * 6000)))
    await asyncio.sleep(0.02)
    short_ms, _ = await first_word(model, HumanMessage("hi"))
    assert not long.done()
    long_ms, _ = await long
    assert short_ms < long_ms / 2


async def test_more_than_there_is_room_for_wait_and_are_answered(tiny: Path):
    model = await opened(tiny)
    said = await asyncio.gather(*(text(model, HumanMessage(f"hi {number}")) for number in range(20)))
    assert set(said) == {"Hello there, how can I help you today?"}


async def test_too_many_are_sent_elsewhere_at_once(gibberish: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engines, "WAITING", 1)
    model = await opened(gibberish)
    tasks = [asyncio.create_task(text(model, HumanMessage("x" * 500))) for _ in range(engines.CONVERSATIONS + 3)]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    assert any(isinstance(task.exception(), ModelRateLimitError) for task in done)
    for task in tasks:
        task.cancel()


async def test_when_the_context_is_full_the_oldest_idle_conversation_goes(narrow: Path):
    """Five times 400 tokens do not fit into 1024."""
    model = await opened(narrow)
    for name in "abcde":
        took_ms, _ = await first_word(model, HumanMessage(name * 400))
        assert took_ms
    _, cached = await first_word(model, HumanMessage("e" * 400))
    assert cached > 390


async def test_the_same_seed_gives_the_same_answer(gibberish: Path):
    model = await opened(gibberish, temperature=1.0)
    one, again, other = [await text(brief(model, seed=seed), SYSTEM) for seed in (1, 1, 2)]
    assert one == again != other


def test_the_model_can_be_asked_without_an_event_loop(tiny: Path):
    model = asyncio.run(opened(tiny))
    assert model.invoke("hi").content == "Hello there, how can I help you today?"


async def test_what_is_no_model_is_said_in_one_sentence(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "notes.gguf").write_text("hello")
    with pytest.raises(BadInput, match=r"notes\.gguf is no GGUF model"):
        await opened(tmp_path / "notes.gguf")
    half(tiny, tmp_path / "half.gguf")
    with pytest.raises(BadInput, match=r"half\.gguf cannot be loaded: .+\.$"):
        await opened(tmp_path / "half.gguf")
    with pytest.raises(Unavailable, match=r"there is no model file .*none\.gguf"):
        await opened(tmp_path / "none.gguf")
    monkeypatch.setattr(machine, "free_memory", lambda: 100_000)
    with pytest.raises(Unavailable, match=r"needs 0\.0 GB of memory"):
        await opened(tiny)


async def test_a_model_that_could_not_be_loaded_is_tried_again(tmp_path: Path, tiny: Path):
    path = tmp_path / "late.gguf"
    path.write_text("not yet")
    with pytest.raises(BadInput):
        await opened(path)
    shutil.copy(tiny, path)
    assert await text(await opened(path), HumanMessage("hi"))


def brief(model: ChatLlama, **how: Any) -> ChatLlama:
    """Not more than 30 tokens: gibberish does not end by itself, and rounding shows in it after some hundred."""
    return model.model_copy(update={"max_tokens": 30, **how})


def half(path: Path, to: Path) -> None:
    to.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def stream_of(model: ChatLlama, *messages: BaseMessage) -> AsyncGenerator[AIMessageChunk]:
    return cast(AsyncGenerator[AIMessageChunk], model.astream(list(messages)))
