"""A call remembers: the real graph and the real SDK, measured on the requests that a loopback server gets."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import GREETING, a_call, llm_agent, outputs_of, words
from voicebot.agent import Agent
from voicebot.brain import Failed, Used
from voicebot.brain.memory import estimated_tokens
from voicebot.brain.memory.note import OPENING
from voicebot.brain.memory.summary import INSTRUCTION
from voicebot.brain.session import GraphBrain

BUDGET = 2000
SUMMARY = "The caller wants a cleaning and asks many questions."
FOLLOW_UP = "and what about something else that I would like to know about your lovely place, number {} on my list"
BOOK = '''
def book(day: str) -> dict[str, str]:
    """Book a day."""
    return {"outcome": "booked", "day": day}
'''


def is_summary(body: dict[str, Any]) -> bool:
    return bool(body["messages"][0]["content"] == INSTRUCTION.text)


class Model:
    """Answers the conversation; `summary` is what it says when it is asked for one."""

    def __init__(self, summary: Answer) -> None:
        self._summary = summary
        self.books = False
        self.used: tuple[int, int, int] | None = None

    def __call__(self, body: dict[str, Any]) -> Answer:
        if is_summary(body):
            return self._summary
        last = body["messages"][-1]
        if self.books and last["role"] == "user" and "book" in last["content"]:
            return answer("", ("book", {"day": "Tuesday"}))
        return answer("Of course, I am happy to tell you all about it.", used=self.used)


def an_agent(root: Path, server: OpenAIEndpoint, tools: str = "", **more: Any) -> Agent:
    return llm_agent(root, server, tools, brain={"context": BUDGET, **more})


def conversation(server: OpenAIEndpoint) -> list[list[dict[str, Any]]]:
    """The messages of the requests that were not about a summary."""
    return [body["messages"] for body in server.requests if not is_summary(body)]


def size(body: dict[str, Any]) -> int:
    """Tokens, by the estimate, of all that was sent."""
    parts = [
        f"{message.get('content') or ''}{json.dumps(message.get('tool_calls', ''))}" for message in body["messages"]
    ]
    return sum(estimated_tokens(part) + 5 for part in [*parts, *map(json.dumps, body.get("tools", ()))])


async def a_turn(brain: GraphBrain, text: str) -> list[Any]:
    outputs = await outputs_of(brain, text)
    await brain.heard(words(outputs), interrupted=False)
    return outputs


async def listening() -> None:
    """The caller takes their time, and a summary is made."""
    for _ in range(200):
        if not [task for task in asyncio.all_tasks() if task.get_name() == "summary"]:
            return
        await asyncio.sleep(0.005)


async def test_two_hundred_turns_stay_within_the_budget_and_keep_their_facts(tmp_path: Path):
    model = Model(answer(SUMMARY))
    model.books = True
    said = {
        3: "my name is maria lopez and my number is 212 555 0123",
        5: "sorry, my number is 212 555 0199",
        7: "please book tuesday, my card is [card 1]",
    }
    async with OpenAIEndpoint(model) as server, a_call(an_agent(tmp_path, server, BOOK)) as brain:
        for number in range(200):
            await a_turn(brain, said.get(number, FOLLOW_UP.format(number)))
            await listening()
        assert len(await brain.messages()) > 400, "the conversation itself is kept"
    assert max(map(size, server.requests)) <= BUDGET
    last = conversation(server)[-1]
    note = last[1]["content"]
    assert note.startswith(OPENING)
    assert f"In short: {SUMMARY}" in note
    assert '"my name is maria lopez and my number is …"' in note
    assert '"sorry, my number is 212 555 0199" (corrected)' in note
    assert "[card 1]" in note
    assert 'book(day="Tuesday"): {"outcome":"booked","day":"Tuesday"}' in note
    assert "0123" not in json.dumps(last)
    assert "number 198 on my list" in json.dumps(last[-3:])


async def test_the_prefix_changes_only_with_a_new_note_and_the_system_prompt_never(tmp_path: Path):
    async with OpenAIEndpoint(Model(answer(SUMMARY))) as server, a_call(an_agent(tmp_path, server)) as brain:
        for number in range(35):
            await a_turn(brain, FOLLOW_UP.format(number))
            await listening()
    requests = conversation(server)
    notes = 0
    for before, after in itertools.pairwise(requests):
        assert json.dumps(after[0]) == json.dumps(before[0])
        if json.dumps(after)[: len(json.dumps(before)) - 1] != json.dumps(before)[:-1]:
            notes += 1
            assert after[1]["content"].startswith(OPENING)
            assert after[1] != before[1]
    assert 1 <= notes <= 12
    assert sum(map(is_summary, server.requests)) - notes in (0, 1), "the last one may come too late to be used"


async def test_a_summary_that_hangs_keeps_nobody_waiting(tmp_path: Path):
    model = Model(answer("never", first_s=3600))
    async with OpenAIEndpoint(model) as server, a_call(an_agent(tmp_path, server)) as brain:
        longest_s = 0.0
        for number in range(35):
            began = asyncio.get_running_loop().time()
            assert words(await a_turn(brain, FOLLOW_UP.format(number)))
            longest_s = max(longest_s, asyncio.get_running_loop().time() - began)
            await asyncio.sleep(0.01)
    assert longest_s < 2
    assert any(map(is_summary, server.requests))
    assert max(map(size, server.requests)) <= BUDGET
    assert conversation(server)[-1][1]["content"].startswith(OPENING)
    assert server.open == 0


async def test_a_summary_that_fails_is_told_and_made_by_rule(tmp_path: Path):
    async with OpenAIEndpoint(Model(answer(status=500))) as server, a_call(an_agent(tmp_path, server)) as brain:
        outputs: list[Any] = []
        for number in range(35):
            outputs += await a_turn(brain, FOLLOW_UP.format(number))
            await listening()
    failures = [output for output in outputs if isinstance(output, Failed)]
    assert failures
    assert {failure.remedy for failure in failures} == {"summed up by rule"}
    assert all("no summary of the call" in failure.error for failure in failures)
    assert 'In short: The caller: "and what about' in conversation(server)[-1][1]["content"]
    assert max(map(size, server.requests)) <= BUDGET


async def test_what_a_summary_costs_is_counted(tmp_path: Path):
    async with OpenAIEndpoint(Model(answer(SUMMARY))) as server, a_call(an_agent(tmp_path, server)) as brain:
        counted = 0
        for number in range(30):
            outputs = await a_turn(brain, FOLLOW_UP.format(number))
            counted += sum(isinstance(output, Used) for output in outputs)
            await listening()
        late = await brain.close()
    assert counted + sum(isinstance(output, Used) for output in late) == len(server.requests)
    assert counted > 30


async def test_an_interruption_while_a_summary_is_made_is_remembered_right(tmp_path: Path):
    model = Model(answer(SUMMARY, token_s=0.02))
    async with OpenAIEndpoint(model) as server, a_call(an_agent(tmp_path, server)) as brain:
        cut_short = 0
        for number in range(35):
            await outputs_of(brain, FOLLOW_UP.format(number))
            busy = bool([task for task in asyncio.all_tasks() if task.get_name() == "summary"])
            await asyncio.sleep(0.03)
            await brain.heard("Of course", interrupted=True)
            cut_short += busy and any(map(is_summary, server.requests))
        assert cut_short
        await listening()
        remembered = [m.text for m in await brain.messages() if m.type == "ai"]
    assert remembered == [GREETING] + 35 * ["Of course"]
    assert all("happy" not in json.dumps(messages) for messages in conversation(server))
    assert max(map(size, server.requests)) <= BUDGET


async def test_the_providers_count_decides_when_it_is_time(tmp_path: Path):
    """Two calls of the same words: to one model they are few tokens, to the other they are many."""
    first_notes = []
    for tokens in (300, 1900):
        model = Model(answer(SUMMARY))
        model.used = (tokens, 0, 10)
        root = tmp_path / str(tokens)
        async with OpenAIEndpoint(model) as server:
            agent = llm_agent(root, server, brain={"context": BUDGET, "llm": ["openai/double"]})
            async with a_call(agent) as brain:
                for number in range(12):
                    await a_turn(brain, FOLLOW_UP.format(number))
                    await listening()
            asked = conversation(server)
        first_notes.append(
            next((n for n, messages in enumerate(asked) if messages[1]["content"].startswith(OPENING)), 99)
        )
    assert first_notes[1] < first_notes[0]


async def test_two_calls_of_an_agent_remember_apart(tmp_path: Path):
    async with OpenAIEndpoint(Model(answer(SUMMARY))) as server:
        agent = an_agent(tmp_path, server)
        async with a_call(agent, "one") as one, a_call(agent, "two") as two:
            await a_turn(one, "my name is maria lopez")
            for number in range(30):
                await a_turn(one, FOLLOW_UP.format(number))
                await a_turn(two, FOLLOW_UP.format(number))
                await listening()
        first, second = conversation(server)[-2:]
        assert "maria lopez" in json.dumps(first)
        assert "maria lopez" not in json.dumps(second)


async def test_the_caller_is_answered_from_what_was_asked_ahead_after_a_summary_too(tmp_path: Path):
    async with OpenAIEndpoint(Model(answer(SUMMARY))) as server, a_call(an_agent(tmp_path, server)) as brain:
        for number in range(30):
            text = FOLLOW_UP.format(number)
            await brain.prepare(text)
            await a_turn(brain, text)
            await listening()
    assert len(conversation(server)) == 30
