"""What the model has in mind in a turn: passages of what the agent knows, from the agent file to the request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import a_call, llm_agent, outputs_of, words
from voicebot.agent import Agent
from voicebot.brain import Failed, Moved
from voicebot.brain import recall as recalling
from voicebot.brain.knowledge import Passage
from voicebot.brain.mind import open_brain
from voicebot.brain.prompt import LOOKED_UP
from voicebot.brain.retrieve import WordRetriever
from voicebot.errors import BadInput

HOURS = "## When are you open?\n\nOn weekdays from eight to five.\n\n## Sundays\n\nOn Sundays we are closed.\n"
BOOK = '''
def find(day: str) -> str:
    """Find a free time."""
    return "ten"
'''


def an_agent(root: Path, server: OpenAIEndpoint, *, fillers: int = 200, tools: str = "", **brain: Any) -> Agent:
    """Its knowledge is far more than fits into its budget, unless there are no `fillers`."""
    (root / "knowledge").mkdir(exist_ok=True)
    (root / "knowledge" / "hours.md").write_text(HOURS)
    filler = "\n\n".join(f"## Topic {number}\n\nThe machine {number} is blue and heavy." for number in range(fillers))
    (root / "knowledge" / "machines.md").write_text(filler)
    return llm_agent(root, server, tools, brain={"context": 3000, "knowledge": ["knowledge/*.md"], **brain})


def sent(server: OpenAIEndpoint, request: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = server.requests[request]["messages"]
    return messages


async def test_knowledge_that_fits_stands_in_the_prompt(tmp_path: Path):
    async with (
        OpenAIEndpoint(answer("At eight.")) as server,
        a_call(an_agent(tmp_path, server, fillers=1)) as brain,
    ):
        await outputs_of(brain, "when are you open")
    assert "On weekdays from eight to five." in sent(server, 0)[0]["content"]
    assert "<passage" not in json.dumps(sent(server, 0)[1:])


async def test_more_knowledge_is_looked_up_for_each_turn_and_not_remembered(tmp_path: Path):
    async with OpenAIEndpoint(answer("Sure.")) as server, a_call(an_agent(tmp_path, server)) as brain:
        await outputs_of(brain, "when are you open")
        await outputs_of(brain, "and on sundays?")
        remembered = [message.text for message in await brain.messages()]
    first, second = sent(server, 0), sent(server, 1)
    assert LOOKED_UP in first[0]["content"]
    assert "eight to five" not in first[0]["content"]
    assert first[-1]["content"].startswith(
        'when are you open\n\n<passage file="knowledge/hours.md">\nWhen are you open?'
    )
    assert second[-1]["content"].startswith('and on sundays?\n\n<passage file="knowledge/hours.md">')
    assert "On Sundays we are closed." in second[-1]["content"]
    assert second[: len(first) - 1] == first[:-1]
    assert second[len(first) - 1]["content"] == "when are you open"
    assert not any("<passage" in text for text in remembered)


async def test_within_a_turn_the_passages_stay(tmp_path: Path):
    answers = answer("", ("find", {"day": "Monday"})), answer("At ten.")
    async with OpenAIEndpoint(*answers) as server, a_call(an_agent(tmp_path, server, tools=BOOK)) as brain:
        outputs = await outputs_of(brain, "when are you open")
    first, second = sent(server, 0), sent(server, 1)
    assert "<passage" in first[-1]["content"]
    assert second[: len(first)] == first
    assert not any(isinstance(output, Moved) for output in outputs), "looking things up is no step of the conversation"


async def test_what_was_asked_ahead_of_time_knows_the_passages(tmp_path: Path):
    async with OpenAIEndpoint(answer("At eight.")) as server, a_call(an_agent(tmp_path, server)) as brain:
        await brain.prepare("when are you open")
        for _ in range(100):
            if server.requests:
                break
            await asyncio.sleep(0.01)
        assert words(await outputs_of(brain, "When are you open?")) == "At eight."
    assert len(server.requests) == 1
    assert "<passage" in sent(server, 0)[-1]["content"]


async def test_nothing_is_looked_up_for_a_silent_caller(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hello?")) as server, a_call(an_agent(tmp_path, server)) as brain:
        await outputs_of(brain, "")
    assert "<passage" not in json.dumps(sent(server, 0)[1:])


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_search_that_fails_or_hangs_does_not_hurt_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
):
    async def broken(self: WordRetriever, question: str, *, after: str, limit: int) -> Sequence[Passage]:
        if hangs:
            await asyncio.sleep(3600)
        raise RuntimeError("the index is gone")

    monkeypatch.setattr(WordRetriever, "passages", broken)
    monkeypatch.setattr(recalling, "RETRIEVE_S", 0.05)
    async with OpenAIEndpoint(answer("Sorry, I do not know.")) as server, a_call(an_agent(tmp_path, server)) as brain:
        outputs = await outputs_of(brain, "when are you open")
    assert words(outputs) == "Sorry, I do not know."
    (failed,) = (output for output in outputs if isinstance(output, Failed))
    assert (failed.provider, failed.remedy) == ("knowledge", "answers without it")


async def test_a_prompt_that_leaves_no_room_for_a_conversation_is_an_error(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hi.")) as server:
        with pytest.raises(BadInput, match=r"brain\.context: .* of 3000 tokens, .* Set 'context' to \d+ or more"):
            open_brain(an_agent(tmp_path, server, prompt="You are Ava. " * 600), "c")


async def test_knowledge_gives_way_to_a_long_prompt(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hi.")) as server:
        agent = an_agent(tmp_path, server, fillers=60, prompt="You are Ava. " * 300)
        async with a_call(agent) as brain:
            await outputs_of(brain, "when are you open")
    assert LOOKED_UP in sent(server, 0)[0]["content"]
    assert "<passage" in sent(server, 0)[-1]["content"]


async def test_the_budget_named_by_the_remedy_is_enough(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hi.")) as server:
        with pytest.raises(BadInput) as refused:
            open_brain(an_agent(tmp_path, server, prompt="You are Ava. " * 600), "c")
        needed = int(str(refused.value).split("Set 'context' to ")[1].split()[0])
        brain = open_brain(an_agent(tmp_path, server, prompt="You are Ava. " * 600, context=needed), "c")
        await brain.close()
