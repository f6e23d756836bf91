"""Whole calls whose brain is a model in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_cpp", reason="the extra 'llama' is not installed; get it with: make llama")

from tests.doubles.project import GREETING, a_call, outputs_of, project, words
from voicebot import providers
from voicebot.agent import Agent
from voicebot.brain import CallTool, ToolResult
from voicebot.errors import BadInput, Unavailable
from voicebot.llm.llama import engine as engines
from voicebot.llm.llama import machine

TOOLS = '''
ordered: list[str] = []

def order(dish: str, sugar: bool = False) -> dict[str, str]:
    """Order a dish."""
    ordered.append(dish)
    return {"outcome": "ok"}
'''


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(machine, "cores", lambda: 1)
    yield
    engines.close_all()


def agent(root: Path, model: str, **brain: Any) -> Agent:
    settings = {"llm": [f"llama/{model}"], "prompt": "You are Ava.", "tools": ["tools.py:order"], **brain}
    return project(root, settings, TOOLS)


async def test_a_model_talks_calls_its_tool_and_hears_the_result(tmp_path: Path, tiny: Path):
    async with a_call(agent(tmp_path, str(tiny))) as brain:
        assert words(await outputs_of(brain, "hi")) == "Hello there, how can I help you today?"
        await brain.heard("Hello there, how can I help you today?", interrupted=False)
        outputs = await outputs_of(brain, "a soup please")
        (call,) = [output for output in outputs if isinstance(output, CallTool)]
        (result,) = [output for output in outputs if isinstance(output, ToolResult)]
    assert (call.name, call.arguments) == ("order", {"dish": "soup"})
    assert (result.ok, result.result) == (True, {"outcome": "ok"})
    assert words(outputs) == "Your soup is on its way."


async def test_a_reply_that_is_cut_short_stops_and_the_next_one_is_right(tmp_path: Path, tiny: Path):
    async with a_call(agent(tmp_path, str(tiny))) as brain:
        reply = brain.reply("tell me something long")
        first = [await anext(reply) for _ in range(5)]
        await reply.aclose()
        await brain.heard(words(first), interrupted=True)
        assert words(await outputs_of(brain, "hi")) == "Hello there, how can I help you today?"


async def test_a_file_is_found_from_its_project(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "models").mkdir()
    shutil.copy(tiny, tmp_path / "models" / "mine.gguf")
    monkeypatch.chdir("/")
    async with a_call(agent(tmp_path, "models/mine.gguf")) as brain:
        assert brain.name == "llama/models/mine.gguf"
        assert words(await outputs_of(brain, "hi")).startswith("Hello")


async def test_the_greeting_is_spoken_before_the_model_is_loaded(tmp_path: Path, tiny: Path):
    from voicebot.brain.mind import open_brain

    brain = open_brain(agent(tmp_path, str(tiny)), "c")
    greeting = brain.greet()
    assert words([await anext(greeting)]) == GREETING
    assert not engines._engines
    await greeting.aclose()
    await brain.close()


def test_a_model_that_is_not_on_disk_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path / "none"))
    reason = r"llama-3\.1-8b-instruct is not on disk: voicebot models pull llama-3\.1-8b-instruct"
    with pytest.raises(Unavailable, match=reason):
        providers.choose("llm", ["llama/llama-3.1-8b-instruct"], tmp_path)
    with pytest.raises(BadInput, match=r"unknown model 'llama-3\.1-8b'\. Did you mean 'llama-3\.1-8b-instruct'\?"):
        providers.choose("llm", ["llama/llama-3.1-8b"], tmp_path)
    with pytest.raises(Unavailable, match=r"there is no model file .*mine\.gguf"):
        providers.choose("llm", ["llama/mine.gguf"], tmp_path)


def test_auto_takes_the_model_that_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from voicebot import models
    from voicebot.models.store import path_of

    for provider in providers.providers():
        monkeypatch.delenv(provider.key or "NONE", raising=False)
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path))
    path = path_of(models.entry("qwen2.5-1.5b-instruct"))
    path.parent.mkdir(parents=True)
    path.touch()
    assert providers.choose("llm", ["auto"], tmp_path).name == "llama/qwen2.5-1.5b-instruct"
