"""From an agent file to a brain that answers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import a_call, llm_agent, outputs_of, project, words
from voicebot import clock
from voicebot.brain import CallTool, HandOver, HangUp, Moved, Say, ToolResult
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.errors import BadInput, Unavailable

ORDER = '''
ordered: list[str] = []

def order(dish: str) -> dict[str, str]:
    """Order."""
    ordered.append(dish)
    return {"outcome": "ok"}
'''
FLOW = {
    "slots": {"dish": {"type": "choice", "ask": "What would you like?", "values": ["soup", "salad"]}},
    "goals": {
        "order": {
            "title": "order a dish",
            "examples": ["I'd like to order", "I'd like a {dish}"],
            "ask": ["dish"],
            "confirm": "A {dish}, is that right?",
            "do": {"tool": "order", "with": ["dish"]},
            "done": "Your {dish} is on its way.",
        }
    },
}


def flow_agent(root: Path, **sections: Any) -> Any:
    return project(root, {"tools": ["tools.py:order"]}, ORDER, flow=FLOW, **sections)


async def test_a_flow_runs_on_the_same_graph_with_real_tools(tmp_path: Path):
    async with a_call(flow_agent(tmp_path)) as brain:
        assert brain.name == "flow"
        first = await outputs_of(brain, "i'd like a soup")
        assert words(first) == "A soup, is that right?"
        (moved,) = (output for output in first if isinstance(output, Moved))
        assert moved.slots == {"dish": "soup"}
        await brain.heard("A soup, is that right?", interrupted=False)
        second = await outputs_of(brain, "yes please")
        assert [type(o) for o in second if isinstance(o, CallTool | ToolResult)] == [CallTool, ToolResult]
        assert "Your soup is on its way." in words(second)


async def test_a_flow_says_its_words_once(tmp_path: Path):
    async with a_call(flow_agent(tmp_path)) as brain:
        said = [output for output in await outputs_of(brain, "i'd like to order") if isinstance(output, Say)]
        assert said == [Say("What would you like?")]


async def test_a_yes_to_a_question_that_was_not_heard_orders_nothing(tmp_path: Path):
    async with a_call(flow_agent(tmp_path)) as brain:
        await outputs_of(brain, "i'd like a soup")
        await brain.heard("A", interrupted=True)
        outputs = await outputs_of(brain, "yes")
        assert not any(isinstance(output, CallTool) for output in outputs)


async def test_a_flow_settles_a_plain_answer(tmp_path: Path):
    async with a_call(flow_agent(tmp_path)) as brain:
        await outputs_of(brain, "i'd like to order")
        await brain.heard("What would you like?", interrupted=False)
        assert brain.settles("soup")
        assert not brain.settles("i would like")


async def test_a_flow_hangs_up_and_hands_over_like_any_brain(tmp_path: Path):
    async with a_call(flow_agent(tmp_path, handoff={"to": "the kitchen"})) as brain:
        outputs = await outputs_of(brain, "goodbye")
        assert isinstance(outputs[-1], HangUp)
    async with a_call(flow_agent(tmp_path, handoff={"to": "the kitchen"}), "call-2") as brain:
        outputs = await outputs_of(brain, "can I talk to a person please")
        assert isinstance(outputs[-1], HandOver)
        assert outputs[-1].to == "the kitchen"


async def test_what_calls_share_is_made_once(tmp_path: Path):
    async with OpenAIEndpoint(answer("Hi.")) as server:
        agent = llm_agent(tmp_path, server, ORDER)
        one, two = (open_brain(agent, id_) for id_ in "ab")
        assert isinstance(one, GraphBrain)
        assert isinstance(two, GraphBrain)
        assert one._mind is two._mind


async def test_the_brain_is_named_after_the_model_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    agent = project(tmp_path, {"llm": ["auto"], "prompt": "You are Ava."})
    assert open_brain(agent, "c").name == "openai/gpt-4.1-mini"


def test_without_a_key_the_sentence_says_where_to_put_it(tmp_path: Path):
    agent = project(tmp_path, {"llm": ["openai/gpt-4.1-mini"], "prompt": "You are Ava."})
    with pytest.raises(Unavailable, match=r"OPENAI_API_KEY is not set\. Put it into \.env of the project"):
        open_brain(agent, "c")


async def test_the_key_is_read_from_the_projects_env_file(tmp_path: Path):
    agent = project(tmp_path, {"llm": ["openai"], "prompt": "You are Ava."})
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-from-file\n")
    brain = open_brain(agent, "c")
    assert isinstance(brain, GraphBrain)
    (llm,) = await brain._models()
    assert llm.secret == "sk-from-file"
    assert "sk-from-file" not in repr(llm)


async def test_a_flow_leads_a_model(tmp_path: Path):
    claims = answer("", ("understood", {"act": "tells", "goal": "order", "slots": {"dish": "salad"}}))
    async with OpenAIEndpoint(claims) as server:
        brain = {"llm": "openai/double", "prompt": "You are Ava.", "base_url": server.url, "tools": "tools.py:order"}
        async with a_call(project(tmp_path, brain, ORDER, flow=FLOW)) as call:
            assert call.name == "openai/double"
            reply = words(await outputs_of(call, "get me something green with dressing on top"))
            assert reply == "A salad, is that right?"
            await call.heard(reply, interrupted=False)
            assert "Your salad is on its way." in words(await outputs_of(call, "yes please"))
            assert len(server.requests) == 1


def test_free_wording_without_a_model_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match=r"ava\.yaml:\d+:\d+ .*only a language model words freely"):
        project(tmp_path, {"tools": ["tools.py:order"]}, ORDER, flow={**FLOW, "wording": "free"})


def test_a_broken_tool_file_is_bad_input_when_the_call_is_opened(tmp_path: Path):
    agent = flow_agent(tmp_path)
    (tmp_path / "tools.py").write_text("import nonsense_package\n\ndef order(): ...\n")
    with pytest.raises(BadInput, match=r"tools\.py:1 ModuleNotFoundError"):
        open_brain(agent, "c")


def test_waiting_for_a_model_is_work_and_not_skipped(tmp_path: Path):
    async def call() -> tuple[str, float]:
        async with (
            OpenAIEndpoint(answer("We open at eight.", first_s=0.3)) as server,
            a_call(llm_agent(tmp_path, server)) as brain,
        ):
            began_s, asked_s = time.monotonic(), clock.now_s()
            outputs = await outputs_of(brain, "when do you open")
            skipped_s = (clock.now_s() - asked_s) - (time.monotonic() - began_s)
        return words(outputs), skipped_s

    said, skipped_s = clock.run(call(), skip_idle=True)
    assert said == "We open at eight."
    assert skipped_s < 0.1


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
