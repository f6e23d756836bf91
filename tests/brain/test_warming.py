"""What happens between the greeting and the caller's first words: models are opened, and one that is slow reads on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import a_call, llm_agent, outputs_of, words
from voicebot.brain import Failed
from voicebot.brain.mind import open_brain
from voicebot.errors import Unavailable
from voicebot.llm import LLM, openai


def connecting(monkeypatch: pytest.MonkeyPatch, change: Callable[[str, LLM], LLM]) -> None:
    connect = openai.connect

    async def changed(model: str, **how) -> LLM:
        return change(model, await connect(model, **how))

    monkeypatch.setattr(openai, "connect", changed)


async def test_a_slow_model_reads_the_beginning_of_the_first_request_during_the_greeting(tmp_path: Path, monkeypatch):
    read: list[list[str]] = []

    async def warm(messages, tools) -> None:
        read.append([message.text for message in messages])

    connecting(monkeypatch, lambda model, llm: replace(llm, warm=warm))
    async with OpenAIEndpoint(answer("Eight.")) as server, a_call(llm_agent(tmp_path, server)) as brain:
        await asyncio.sleep(0.1)
        await outputs_of(brain, "when do you open")
    sent = [message["content"] for message in server.requests[0]["messages"]]
    assert read == [sent[:-1]]


async def test_the_caller_does_not_wait_for_reading_that_has_become_needless(tmp_path: Path, monkeypatch):
    ends: list[str] = []

    async def warm(messages, tools) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    connecting(monkeypatch, lambda model, llm: replace(llm, warm=warm))
    async with OpenAIEndpoint(answer("Eight.")) as server, a_call(llm_agent(tmp_path, server)) as brain:
        await asyncio.sleep(0.1)
        assert words(await asyncio.wait_for(outputs_of(brain, "when do you open"), 5)) == "Eight."
    assert ends == ["cancelled"]


async def test_a_spare_model_that_cannot_be_opened_costs_only_itself(tmp_path: Path, monkeypatch):
    def broken(model: str, llm: LLM) -> LLM:
        if model == "big":
            raise Unavailable("big does not fit into the memory of this machine.")
        return llm

    connecting(monkeypatch, broken)
    async with OpenAIEndpoint(answer("Eight.")) as server:
        agent = llm_agent(tmp_path, server, brain={"llm": ["openai/big", "openai/double"]})
        brain = open_brain(agent, "c")
        outputs = [output async for output in brain.greet()]
        assert (
            Failed("openai/big", "big does not fit into the memory of this machine.", "next: openai/double") in outputs
        )
        await brain.heard(agent.greeting or "", interrupted=False)
        assert words([output async for output in brain.reply("when do you open")]) == "Eight."
        await brain.close()
