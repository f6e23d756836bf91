"""What a model is sent of a call: valid, within the budget, the same from turn to turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from tests.doubles.strict_server import accepts
from voicebot.brain.memory import Memory, message_tokens
from voicebot.brain.memory.note import OPENING
from voicebot.brain.memory.squeeze import GAP
from voicebot.brain.memory.window import ATTEMPTS, VERBATIM_TURNS

SYSTEM = SystemMessage("You are Ava. " * 20)
BUDGET = 2000


async def nobody(_notes: str, _transcript: str) -> str | None:
    return None


def turn(number: int, caller: str = "", agent: str = "") -> list[AnyMessage]:
    caller = caller or f"and what about something else that I would like to know, number {number}, if I may"
    agent = agent or f"Of course, I am happy to tell you more about the thing called {number}."
    return [HumanMessage(caller, id=f"h{number}"), AIMessage(agent, id=f"a{number}")]


def turns(count: int, first: int = 0) -> list[AnyMessage]:
    return [message for number in range(first, first + count) for message in turn(number)]


def size(sent: Sequence[BaseMessage]) -> int:
    return sum(map(message_tokens, sent))


def asked_now(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    return [*messages, HumanMessage("and now?", id="now")]


def reader(messages: Sequence[AnyMessage]) -> Callable[[], Awaitable[Sequence[AnyMessage]]]:
    async def read() -> Sequence[AnyMessage]:
        return messages

    return read


async def after_a_reply(memory: Memory, messages: Sequence[AnyMessage], unsettled: int = 1) -> None:
    memory.begin(reader(messages), unsettled)
    for task in [task for task in asyncio.all_tasks() if task.get_name() == "summary"]:
        await asyncio.wait([task])


def shown_turns(sent: Sequence[BaseMessage]) -> int:
    return sum(isinstance(message, HumanMessage) for message in sent)


async def test_a_short_call_is_sent_as_it_is():
    memory = Memory(BUDGET, nobody)
    messages = asked_now(turns(5))
    assert [m.text for m in memory.fitted(SYSTEM, messages)] == [SYSTEM.text, *(m.text for m in messages)]


async def test_a_long_call_keeps_system_note_and_last_turns():
    memory = Memory(BUDGET, nobody)
    messages = asked_now(turns(100))
    sent = memory.fitted(SYSTEM, messages)
    assert sent[0] is SYSTEM
    assert sent[1].text.startswith(OPENING)
    assert [m.text for m in sent[2:]] == [m.text for m in messages[-len(sent) + 2 :]]
    assert shown_turns(sent) >= VERBATIM_TURNS
    assert size(sent) <= BUDGET


async def test_between_two_notes_every_request_begins_with_the_one_before():
    memory = Memory(BUDGET, nobody)
    messages: list[AnyMessage] = [AIMessage("Hello, this is Ava.", id="g")]
    before: list[tuple[str, Any]] = []
    changes = 0
    for number in range(200):
        messages.append(turn(number)[0])
        sent: list[tuple[str, Any]] = [(m.type, m.content) for m in memory.fitted(SYSTEM, messages)]
        assert sent[0] == ("system", SYSTEM.text)
        if sent[: len(before)] != before:
            changes += 1
            assert sent[1] != before[1], "only a new note changes what was sent before"
        before = sent
        messages.append(turn(number)[1])
    assert 3 < changes < 30


async def test_facts_of_the_first_turns_are_sent_word_for_word_two_hundred_turns_later():
    memory = Memory(BUDGET, nobody)
    messages: list[AnyMessage] = []
    for number in range(200):
        caller = {3: "my name is maria lopez and my number is 212 555 0123", 9: "sorry, my number is 212 555 0199"}
        messages += turn(number, caller.get(number, ""))
        sent = memory.fitted(SYSTEM, messages[:-1])
        assert size(sent) <= BUDGET
    text = "\n".join(message.text for message in sent)
    assert '"my name is maria lopez and my number is …"' in text
    assert '"sorry, my number is 212 555 0199" (corrected)' in text
    assert "0123" not in text


async def test_the_tools_and_what_is_for_this_turn_only_count():
    tools = [{"function": {"name": "book", "description": "word " * 300}}]
    plain = Memory(BUDGET, nobody).fitted(SYSTEM, asked_now(turns(100)))
    less = Memory(BUDGET, nobody).fitted(SYSTEM, asked_now(turns(100)), tools=tools, aside="passage " * 100)
    assert size(less) < size(plain) < BUDGET
    assert less[-1].text.endswith("passage " * 100)
    more = Memory(BUDGET, nobody).fitted(SYSTEM, asked_now(turns(100)), aside="passage " * 100)
    assert size(more) <= BUDGET


async def test_slots_are_kept_as_they_are():
    sent = Memory(BUDGET, nobody).fitted(SYSTEM, asked_now(turns(100)), known={"day": "2026-12-01", "name": None})
    assert "Known: day = 2026-12-01.]" in sent[1].text


async def test_a_result_from_the_background_stays_with_the_turn_it_came_for():
    call = {"name": "find", "args": {}, "id": "x", "type": "tool_call"}
    news = [
        AIMessage("", tool_calls=[call], id="news-x"),
        ToolMessage("found it " * 250, tool_call_id="x", id="result-x", name="find"),
    ]
    sent = Memory(BUDGET, nobody).fitted(SYSTEM, [*turns(50), *news, HumanMessage("go on", id="now")])
    assert [m.type for m in sent[-3:]] == ["ai", "tool", "human"]
    assert accepts(sent)


async def test_a_turn_that_is_too_long_by_itself_is_shortened_results_first():
    call = {"name": "read", "args": {}, "id": "x", "type": "tool_call"}
    result = ToolMessage("begin " + "page " * 20_000 + "end", tool_call_id="x", id="r")
    messages = [*turns(3), HumanMessage("read it to me", id="h"), AIMessage("", tool_calls=[call], id="a"), result]
    sent = Memory(BUDGET, nobody).fitted(SYSTEM, messages)
    assert size(sent) <= BUDGET
    assert accepts(sent)
    assert sent[-3].text == "read it to me" or sent[-3].text.endswith("\nread it to me")
    assert sent[-1].text.startswith("begin page")
    assert sent[-1].text.endswith("page end")
    assert GAP in sent[-1].text


async def test_shortening_leaves_redactions_whole():
    call = {"name": "read", "args": {}, "id": "x", "type": "tool_call"}
    result = ToolMessage("[card 1] " * 5000, tool_call_id="x", id="r")
    messages = [HumanMessage("read", id="h"), AIMessage("", tool_calls=[call], id="a"), result]
    text = Memory(BUDGET, nobody).fitted(SYSTEM, messages)[-1].text
    assert set(text.replace(GAP, " ").split()) == {"[card", "1]"}
    assert text.count("[card 1]") == text.replace(GAP, "").count("[")


async def test_a_model_sums_up_in_the_background_and_the_next_turn_uses_it():
    seen: list[tuple[str, str]] = []

    async def summarise(notes: str, transcript: str) -> str:
        seen.append((notes, transcript))
        return f"Summary {len(seen)}."

    memory = Memory(BUDGET, summarise)
    messages = turns(25)
    memory.fitted(SYSTEM, messages[:-1])
    await after_a_reply(memory, messages)
    ((notes, transcript),) = seen
    assert notes == ""
    assert transcript.startswith("Caller: and what about something else that I would like to know, number 0,")
    assert "number 24" not in transcript
    sent = memory.fitted(SYSTEM, asked_now(messages))
    assert "In short: Summary 1." in sent[1].text
    for number in range(25, 45):
        messages += turn(number)
        memory.fitted(SYSTEM, messages[:-1])
        await after_a_reply(memory, messages)
        if len(seen) > 1:
            break
    assert "In short: Summary 1." in seen[1][0]
    assert "Summary 2." in memory.fitted(SYSTEM, asked_now(messages))[1].text


async def test_nothing_is_summed_up_before_it_is_time():
    async def summarise(_notes: str, _transcript: str) -> str:
        raise AssertionError("too early")

    memory = Memory(BUDGET, summarise)
    memory.fitted(SYSTEM, turns(5)[:-1])
    await after_a_reply(memory, turns(5))
    assert memory.restore(None, turns(5)) is None


async def test_a_new_note_comes_with_a_turn_and_not_in_the_middle_of_one():
    async def summarise(_notes: str, _transcript: str) -> str:
        return "Summary."

    memory = Memory(BUDGET, summarise)
    messages = turns(25)
    memory.fitted(SYSTEM, messages[:-1])
    await after_a_reply(memory, messages)
    call = {"name": "find", "args": {}, "id": "x", "type": "tool_call"}
    middle = [*messages[:-1], AIMessage("", tool_calls=[call], id="t"), ToolMessage("ok", tool_call_id="x", id="r")]
    assert "Summary." not in memory.fitted(SYSTEM, middle)[1].text
    assert "Summary." in memory.fitted(SYSTEM, asked_now(messages))[1].text


async def test_turns_that_may_still_change_are_not_summed_up():
    seen: list[str] = []

    async def summarise(_notes: str, transcript: str) -> str:
        seen.append(transcript)
        return "Summary."

    memory = Memory(BUDGET, summarise)
    messages = turns(25)
    memory.fitted(SYSTEM, messages[:-1])
    await after_a_reply(memory, messages, unsettled=23)
    assert seen == []  # two turns are not worth a note
    await after_a_reply(memory, messages, unsettled=15)
    (transcript,) = seen
    assert "number 9," in transcript
    assert "number 10," not in transcript


@pytest.mark.parametrize("answer", [None, RuntimeError("broken"), ""])
async def test_a_summary_that_fails_costs_nothing_but_its_words(answer: str | Exception | None):
    async def summarise(_notes: str, _transcript: str) -> str | None:
        if isinstance(answer, Exception):
            raise answer
        return answer

    memory = Memory(BUDGET, summarise)
    messages = turns(25)
    memory.fitted(SYSTEM, messages[:-1])
    await after_a_reply(memory, messages)
    for number in range(25, 60):
        messages += turn(number)
        sent = memory.fitted(SYSTEM, messages[:-1])
        assert size(sent) <= BUDGET
        assert accepts(sent)
    assert sent[1].text.startswith(OPENING)


async def test_a_summary_that_hangs_never_keeps_a_turn_waiting_and_is_given_up():
    begun = 0

    async def summarise(_notes: str, _transcript: str) -> str:
        nonlocal begun
        begun += 1
        await asyncio.sleep(3600)
        return "never"

    memory = Memory(BUDGET, summarise)
    messages, notes = turns(25), set[str]()
    for number in range(25, 60):
        memory.pause()
        await asyncio.sleep(0)
        messages += turn(number)
        sent = memory.fitted(SYSTEM, messages[:-1])
        assert size(sent) <= BUDGET
        notes.add(sent[1].text.partition("]")[0])
        memory.begin(reader(messages), 1)
        for _ in range(5):
            await asyncio.sleep(0)
    await memory.close()
    assert 1 <= begun <= ATTEMPTS * len(notes)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "summary"]


async def test_a_caller_who_speaks_has_the_model_to_themselves():
    broken_off = False

    async def summarise(_notes: str, _transcript: str) -> str:
        nonlocal broken_off
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            broken_off = True
            raise
        return "never"

    memory = Memory(BUDGET, summarise)
    memory.fitted(SYSTEM, turns(25)[:-1])
    memory.begin(reader(turns(25)), 1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    memory.pause()
    await asyncio.sleep(0)
    assert broken_off


async def test_after_the_call_nothing_is_begun():
    memory = Memory(BUDGET, nobody)
    memory.fitted(SYSTEM, turns(25)[:-1])
    await memory.close()
    memory.begin(reader(turns(25)), 1)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "summary"]


async def test_a_graph_that_asks_its_own_models_is_left_alone():
    async def read() -> Sequence[AnyMessage]:
        raise AssertionError("the conversation of a guest is its own")

    memory = Memory(BUDGET, nobody)
    memory.begin(read, 1)
    await asyncio.sleep(0)
    assert memory.restore(None, turns(100)) is None


async def test_a_summary_that_comes_too_late_is_not_used():
    ready = asyncio.Event()

    async def summarise(_notes: str, _transcript: str) -> str:
        await ready.wait()
        return "Too late."

    memory = Memory(BUDGET, summarise)
    messages = turns(25)
    memory.fitted(SYSTEM, messages[:-1])
    memory.begin(reader(messages), 1)
    await asyncio.sleep(0)
    by_rule = memory.fitted(SYSTEM, asked_now(messages))
    while not by_rule[1].text.startswith(OPENING):
        messages = [*messages, *turn(len(messages))]
        by_rule = memory.fitted(SYSTEM, asked_now(messages))
    ready.set()
    await after_a_reply(memory, messages)
    assert memory.fitted(SYSTEM, asked_now(messages)) == by_rule


async def test_a_call_that_is_taken_up_again_has_its_note():
    first = Memory(BUDGET, nobody)
    messages = asked_now(turns(100))
    sent = first.fitted(SYSTEM, messages)
    again = Memory(BUDGET, nobody)
    saved = first.restore(None, messages)
    assert again.restore(saved, messages) is None
    assert again.restore(None, messages) == saved
    assert [m.text for m in again.fitted(SYSTEM, messages)] == [m.text for m in sent]


async def test_a_note_whose_last_message_is_gone_is_made_anew():
    memory = Memory(BUDGET, nobody)
    memory.fitted(SYSTEM, asked_now(turns(100)))
    sent = memory.fitted(SYSTEM, asked_now(turns(100, first=500)))
    assert size(sent) <= BUDGET
    assert accepts(sent)


_WORDS = st.lists(st.sampled_from(["yes", "212 555 0123", "sorry", "[card 1]", "öffnen", "预约", "A7B"]), max_size=60)
_SAID = st.builds(" ".join, _WORDS)
_CALLS = st.lists(st.tuples(st.sampled_from(["book", "find"]), _SAID, st.booleans()), min_size=1, max_size=3)
_TURN = st.tuples(_SAID, st.lists(st.tuples(_SAID, _CALLS), max_size=3), _SAID)


def spoken(plan: list[Any]) -> list[AnyMessage]:
    """A conversation: turns of (caller's words, rounds of (agent's words, tools), agent's words)."""
    messages: list[AnyMessage] = []

    def new(kind: Any, text: str, **more: Any) -> None:
        messages.append(kind(text, id=str(len(messages)), **more))

    for caller, rounds, agent in plan:
        new(HumanMessage, caller)
        for words, tools in rounds:
            ids = [f"{len(messages)}-{place}" for place in range(len(tools))]
            calls = [
                {"name": tool[0], "args": {}, "id": id_, "type": "tool_call"}
                for id_, tool in zip(ids, tools, strict=True)
            ]
            new(AIMessage, words, tool_calls=calls)
            for id_, (_, result, answered) in zip(ids, tools, strict=True):
                if answered:
                    new(ToolMessage, result, tool_call_id=id_)
        if agent:
            new(AIMessage, agent)
    return messages


@settings(max_examples=60, deadline=None)
@given(st.lists(_TURN, min_size=1, max_size=25), st.booleans())
def test_whatever_is_said_and_done_each_request_is_valid_and_within_the_budget(plan: list[Any], greeted: bool):
    memory = Memory(BUDGET, nobody)
    messages = spoken(plan)
    if greeted:
        messages.insert(0, AIMessage("Hello.", id="greeting"))
    for end, message in enumerate(messages, 1):
        if isinstance(message, HumanMessage | ToolMessage):
            sent = memory.fitted(SYSTEM, messages[:end])
            assert accepts(sent)
            assert size(sent) <= BUDGET
            if note := memory.restore(None, messages):
                through = next(place for place, each in enumerate(messages) if each.id == note["through"])
                assert isinstance(messages[through + 1], HumanMessage), "whole turns are left out"
                assert note["text"] in sent[1].text
