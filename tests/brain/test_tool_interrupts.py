"""`interrupt()` in a tool of one of our own agents becomes a question to the caller, and the answer what it returns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import a_call, llm_agent, outputs_of, words
from voicebot.brain import CallTool, Failed, Moved, Output, ToolResult
from voicebot.brain.session import GraphBrain

TOOLS = '''
from langgraph.types import interrupt

log: list[str] = []

def book(day: str) -> str:
    """Book a day."""
    log.append(f"asks {day}")
    answer = interrupt(f"Shall I book {day}?")
    if not answer:
        return f"not booked: {answer}"
    log.append(f"books {day}")
    return f"booked {day}, {answer}"

def note(day: str) -> str:
    """Note a day."""
    log.append(f"notes {day}")
    return f"noted {day}"

def dishes() -> str:
    """What the log says."""
    return "; ".join(log)

def guests() -> int:
    """Ask how many they are."""
    return interrupt("How many are you?", response_schema=int) * 2
'''


async def said(brain: GraphBrain, text: str) -> str:
    """What it says; all of it is heard."""
    spoken = words(await outputs_of(brain, text))
    await brain.heard(spoken, interrupted=False)
    return spoken


def results(outputs: Iterable[Output]) -> list[object]:
    return [output.result for output in outputs if isinstance(output, ToolResult)]


async def test_the_question_is_asked_and_the_answer_is_what_interrupt_returns(tmp_path: Path):
    answers = answer("One moment.", ("book", {"day": "Tuesday"})), answer("It is booked.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, TOOLS)) as brain:
        asking = await outputs_of(brain, "book tuesday")
        assert words(asking) == "One moment. Shall I book Tuesday?"
        assert [type(output) for output in asking if isinstance(output, CallTool | Moved)] == [CallTool, Moved]
        await brain.heard(words(asking), interrupted=False)
        answering = await outputs_of(brain, "Yes, please.")
        assert words(answering) == "It is booked."
        assert results(answering) == ["booked Tuesday, Yes, please."]
        assert not any(isinstance(output, CallTool) for output in answering), "the call is told once"
        await brain.heard("It is booked.", interrupted=False)
        assert [m.text for m in await brain.messages()][1:] == [
            "book tuesday",
            "One moment.",
            "booked Tuesday, Yes, please.",
            "It is booked.",
        ]


async def test_a_clear_no_is_false_for_the_tool(tmp_path: Path):
    answers = answer("", ("book", {"day": "Tuesday"})), answer("All right.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, TOOLS)) as brain:
        assert await said(brain, "book tuesday") == "Shall I book Tuesday?"
        assert results(await outputs_of(brain, "No, thanks.")) == ["not booked: No, thanks."]


async def test_silence_repeats_the_question(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("", ("book", {"day": "Tuesday"})), answer("Done.")) as server,
        a_call(llm_agent(tmp_path, server, TOOLS)) as brain,
    ):
        await said(brain, "book tuesday")
        assert await said(brain, "") == "Shall I book Tuesday?"
        assert await said(brain, "yes") == "Done."


async def test_tools_that_are_done_do_not_run_again_when_another_one_has_its_answer(tmp_path: Path):
    both = answer("", ("note", {"day": "Monday"}), ("book", {"day": "Tuesday"}))
    answers = both, answer("", ("dishes", {})), answer("That is all.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, TOOLS)) as brain:
        asking = await outputs_of(brain, "note monday, book tuesday")
        assert words(asking) == "Shall I book Tuesday?"
        assert results(asking) == ["noted Monday"]
        await brain.heard(words(asking), interrupted=False)
        answering = await outputs_of(brain, "yes")
        assert results(answering) == ["booked Tuesday, yes", "notes Monday; asks Tuesday; asks Tuesday; books Tuesday"]


async def test_two_tools_that_ask_are_answered_one_after_the_other(tmp_path: Path):
    both = answer("", ("book", {"day": "Monday"}), ("book", {"day": "Tuesday"}))
    async with OpenAIEndpoint(both, answer("Done.")) as server, a_call(llm_agent(tmp_path, server, TOOLS)) as brain:
        assert await said(brain, "both") == "Shall I book Monday?"
        assert await said(brain, "no") == "Shall I book Tuesday?"
        outputs = await outputs_of(brain, "yes")
        assert results(outputs) == ["not booked: no", "booked Tuesday, yes"]
        assert words(outputs) == "Done."


async def test_an_answer_that_does_not_fit_the_schema_is_asked_for_again(tmp_path: Path):
    answers = answer("", ("guests", {})), answer("Four chairs.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, TOOLS)) as brain:
        assert await said(brain, "a table") == "How many are you?"
        assert await said(brain, "me and my wife") == "How many are you?"
        outputs = await outputs_of(brain, "two")
        assert results(outputs) == [4]
        assert not any(isinstance(output, Failed) for output in outputs)


async def test_a_question_that_was_not_heard_is_asked_again_and_not_answered(tmp_path: Path):
    answers = answer("One moment please.", ("book", {"day": "Tuesday"})), answer("It is booked.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, TOOLS)) as brain:
        await outputs_of(brain, "book tuesday")
        await brain.heard("One moment", interrupted=True)
        assert await said(brain, "yes") == "Shall I book Tuesday?"
        assert await said(brain, "yes") == "It is booked."
        assert [m.text for m in await brain.messages()][1:] == [
            "book tuesday",
            "One moment",
            "booked Tuesday, yes",
            "It is booked.",
        ]


async def test_cutting_into_the_question_answers_it_when_half_of_it_was_heard(tmp_path: Path):
    answers = answer("", ("book", {"day": "Tuesday"})), answer("It is booked.")
    async with OpenAIEndpoint(*answers) as server, a_call(llm_agent(tmp_path, server, TOOLS)) as brain:
        await outputs_of(brain, "book tuesday")
        await brain.heard("Shall I book", interrupted=True)
        assert await said(brain, "yes") == "It is booked."


async def test_a_call_that_ends_with_a_question_open_ends_in_order(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("", ("book", {"day": "Tuesday"}))) as server,
        a_call(llm_agent(tmp_path, server, TOOLS)) as brain,
    ):
        await said(brain, "book tuesday")


async def test_a_clear_answer_ends_the_callers_turn_at_once_where_yes_or_no_is_asked(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("", ("book", {"day": "Tuesday"}))) as server,
        a_call(llm_agent(tmp_path, server, TOOLS)) as brain,
    ):
        await said(brain, "book tuesday")
        assert brain.settles("yes please")
        assert not brain.settles("yes but")
