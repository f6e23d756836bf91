"""One call, several agents: who answers, and what each of them knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from voicebot.agent import Agent
from voicebot.brain import HandOver, Output, Say
from voicebot.brain.mind import open_brain
from voicebot.brain.relay import Relay

FLOW: dict[str, Any] = {
    "slots": {"name": {"type": "name", "ask": "Who are you?"}, "day": {"type": "date", "ask": "Which day?"}},
    "goals": {
        "move": {
            "title": "move an appointment",
            "examples": ["i want to move my appointment"],
            "ask": ["name", "day"],
            "confirm": "{name}, on {day}?",
            "do": {"tool": "move", "with": ["name", "day"]},
        }
    },
}


def agents(root: Path, url: str, **handoffs: list[str]) -> Agent:
    """Agents of these names that may hand over to these; one called 'flow' follows a flow."""
    (root / "agents").mkdir(exist_ok=True)
    (root / "tools.py").write_text('def move(name: str, day: str) -> None: "Move it."\n')
    for name, others in handoffs.items():
        settings: dict[str, Any] = {"name": name, "greeting": f"I am {name}."}
        if name == "flow":
            settings |= {"flow": FLOW, "brain": {"tools": "tools.py:move"}}
        else:
            settings["brain"] = {"llm": "openai/double", "prompt": f"You are {name}.", "base_url": url}
        settings["handoff"] = [{"to": other, "agent": f"agents/{other}.yaml", "say": "Wait."} for other in others]
        settings["handoff"] += [{"to": "a person", "say": "I'll get someone."}]
        (root / "agents" / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    return Agent.load(root / "agents" / f"{next(iter(handoffs))}.yaml")


@asynccontextmanager
async def a_relay(root: Path, *answers: Answer, **handoffs: list[str]) -> AsyncIterator[tuple[Relay, OpenAIEndpoint]]:
    async with OpenAIEndpoint(*answers) as server:
        brain = open_brain(agents(root, server.url, **handoffs), "call")
        assert isinstance(brain, Relay)
        async for _ in brain.greet():
            pass
        await brain.heard("I am a.", interrupted=False)
        yield brain, server
        await brain.close()


async def turn(brain: Relay, text: str, *, heard: str | None = None) -> tuple[str, list[HandOver]]:
    outputs: list[Output] = [output async for output in brain.reply(text)]
    words = "".join(output.text for output in outputs if isinstance(output, Say))
    await brain.heard(words if heard is None else heard, interrupted=heard is not None)
    return words, [output for output in outputs if isinstance(output, HandOver)]


def hand_over_to(name: str) -> Answer:
    return answer("", ("hand_over", {"to": name, "reason": "why"}))


def prompts(server: OpenAIEndpoint) -> list[str]:
    return [request["messages"][0]["content"].split("You are ")[-1][:1] for request in server.requests]


async def test_the_other_agent_has_news_when_the_caller_has_heard_the_first(tmp_path: Path):
    answers = (hand_over_to("b"), answer("B here."))
    async with a_relay(tmp_path, *answers, a=["b"], b=[]) as (brain, server):
        assert await turn(brain, "to b please") == ("Wait.", [])
        assert brain.has_news
        assert await turn(brain, "") == ("B here.", [HandOver("b", "why", "agents/b.yaml")])
        assert not brain.has_news
        assert (await turn(brain, "go on"))[0] == "B here."
    assert prompts(server) == ["a", "b", "b"]
    sent = [message["content"] for message in server.requests[-1]["messages"]]
    assert "to b please" in sent
    assert sent[-1] == "go on"


async def test_who_interrupts_the_hand_over_stays_with_the_agent_they_know(tmp_path: Path):
    answers = (hand_over_to("b"), answer("All right, I stay."))
    async with a_relay(tmp_path, *answers, a=["b"], b=[]) as (brain, server):
        await turn(brain, "to b please", heard="")
        assert not brain.has_news
        assert await turn(brain, "no, wait") == ("All right, I stay.", [])
    assert prompts(server) == ["a", "a"]


async def test_the_next_agent_remembers_only_what_the_caller_heard(tmp_path: Path):
    long = answer("One two three four five six seven.")
    async with a_relay(tmp_path, long, hand_over_to("b"), answer("B."), a=["b"], b=[]) as (brain, server):
        await turn(brain, "count", heard="One two three")
        await turn(brain, "to b")
        await turn(brain, "")
    sent = " ".join(str(message["content"]) for message in server.requests[-1]["messages"])
    assert "One two three" in sent
    assert "four" not in sent


async def test_an_agent_can_hand_back(tmp_path: Path):
    answers = (hand_over_to("b"), answer("B."), hand_over_to("a"), answer("A again."))
    async with a_relay(tmp_path, *answers, a=["b"], b=["a"]) as (brain, server):
        for text in ("to b", "", "and back"):
            await turn(brain, text)
        assert (await turn(brain, ""))[1] == [HandOver("a", "why", "agents/a.yaml")]
    assert prompts(server) == ["a", "b", "b", "a"]
    sent = [message["content"] for message in server.requests[-1]["messages"]]
    assert [sent.count(text) for text in ("to b", "B.", "and back")] == [1, 1, 1]


async def test_to_a_person_the_call_leaves(tmp_path: Path):
    async with a_relay(tmp_path, hand_over_to("a person"), a=["b"], b=[]) as (brain, _):
        assert await turn(brain, "a human!") == ("I'll get someone.", [HandOver("a person", "why")])
        assert not brain.has_news


async def test_a_flow_takes_over_with_the_callers_last_words(tmp_path: Path):
    async with a_relay(tmp_path, hand_over_to("flow"), a=["flow"], flow=[]) as (brain, _):
        await turn(brain, "i want to move my appointment")
        words, handed = await turn(brain, "")
        assert words.endswith("Who are you?")
        assert handed[0].agent == "agents/flow.yaml"
        assert (await turn(brain, "maria lopez"))[0].endswith("Which day?")
