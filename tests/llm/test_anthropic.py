"""Claude through the real SDK: what is sent, what is counted, and what happens when it fails."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.anthropic_endpoint import AnthropicEndpoint, Message, says
from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import outputs_of, project, words
from voicebot import providers
from voicebot.brain import Failed, Output, ToolResult, Used
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.llm import LLM, openai

pytest.importorskip("langchain_anthropic", reason="needs the extra 'cloud'")

KEY = "sk-ant-secret-0123456789"
TOOL = '''
def opening_hours(day: str) -> str:
    """When we are open on a day."""
    return f"eight to five on {day}"
'''


@asynccontextmanager
async def a_call(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: AnthropicEndpoint,
    *fallbacks: OpenAIEndpoint,
    model: str = "claude-haiku-4-5",
    **brain: Any,
) -> AsyncIterator[GraphBrain]:
    """A call of an agent whose models are Claude, at the loopback server, and then the fallbacks."""
    from voicebot.llm import anthropic

    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    settings = {"llm": [f"anthropic/{model}"], "prompt": "You are Ava.", "tools": ["tools.py:opening_hours"], **brain}
    agent = project(root, settings, TOOL, greeting=None)
    async with server:
        monkeypatch.setattr(anthropic, "BASE_URL", server.url)
        opened = open_brain(agent, "call")
        assert isinstance(opened, GraphBrain)
        claude = await opened._connect()

        async def models() -> list[LLM]:
            return [*claude, *[await openai.connect("m2", base_url=each.url) for each in fallbacks]]

        opened._connect = models
        yield opened
        await opened.close()


def failures(outputs: list[Output]) -> list[Failed]:
    return [output for output in outputs if isinstance(output, Failed)]


async def test_words_tools_and_tokens_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = says("Let me see.", ("opening_hours", {"day": "Monday"}), fresh=20, written=1000)
    claude = AnthropicEndpoint(asked, says("We open at eight.", fresh=60, read=1000))
    async with a_call(tmp_path, monkeypatch, claude) as brain:
        outputs = await outputs_of(brain, "when are you open on monday")
    assert words(outputs) == "Let me see. We open at eight."
    assert [output.result for output in outputs if isinstance(output, ToolResult)] == ["eight to five on Monday"]
    used = [output for output in outputs if isinstance(output, Used)]
    assert [(each.input_tokens, each.cached_tokens, each.output_tokens) for each in used] == [
        (1020, 0, 3),
        (1060, 1000, 4),
    ]
    assert used[0].cost_usd == pytest.approx((20 * 1.0 + 1000 * 1.25 + 3 * 5.0) / 1e6)
    assert used[1].cost_usd == pytest.approx((60 * 1.0 + 1000 * 0.1 + 4 * 5.0) / 1e6)
    assert not any(each.estimated for each in used)
    assert claude.keys == [KEY, KEY]


async def test_what_can_be_cached_is_marked_and_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    claude = AnthropicEndpoint(says("Hello."), says("Yes."))
    async with a_call(tmp_path, monkeypatch, claude) as brain:
        await outputs_of(brain, "hello")
        await brain.heard("Hello.", interrupted=False)
        await outputs_of(brain, "are you there")
    first, second = claude.requests
    (block,) = first["system"]
    assert block["cache_control"] == {"type": "ephemeral"}
    assert "You are Ava." in block["text"]
    assert first["system"] == second["system"]
    assert first["tools"] == second["tools"]
    assert second["messages"][: len(first["messages"])] == first["messages"]


async def test_models_that_would_think_first_are_told_not_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    claude = AnthropicEndpoint(says("Hello."))
    async with a_call(tmp_path, monkeypatch, claude, model="claude-haiku-5-5", temperature=0.3) as brain:
        await outputs_of(brain, "hello")
    assert claude.requests[0]["thinking"] == {"type": "disabled"}
    assert "temperature" not in claude.requests[0], "this model takes none"


async def test_a_temperature_is_sent_to_models_that_take_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    claude = AnthropicEndpoint(says("Hello."))
    async with a_call(tmp_path, monkeypatch, claude, temperature=0.3) as brain:
        await outputs_of(brain, "hello")
    assert claude.requests[0]["temperature"] == 0.3


BAD = {
    "unauthorised": (
        says(status=401, error=f"invalid x-api-key {KEY}"),
        "does not accept the key in ANTHROPIC_API_KEY",
    ),
    "no such model": (says(status=404), "has no model 'claude-haiku-4-5'"),
    "rate limited": (says(status=429), "refuses more requests for now"),
    "server error": (says(status=500), "failed: Error code: 500"),
    "overloaded": (says(status=529), "529"),
    "overloaded in the stream": (says("Never said.", overloaded_after=0), "nope"),
    "cut off": (says("Never said.", cut_after=0), ""),
    "ended": (says("Never said.", ends_after=0), "the answer broke off"),
    "hangs": (says("Late.", first_s=60), "was silent for 0.5 s"),
    "empty": (says(""), "the answer was empty"),
}


@pytest.mark.parametrize(("bad", "said"), BAD.values(), ids=BAD.keys())
async def test_the_next_provider_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: Message, said: str):
    claude = AnthropicEndpoint(bad)
    async with (
        OpenAIEndpoint(answer("We open at eight.")) as second,
        a_call(tmp_path, monkeypatch, claude, second, patience="500ms") as brain,
    ):
        outputs = await outputs_of(brain, "when do you open")
    assert words(outputs) == "We open at eight."
    assert failures(outputs)[-1].remedy == "next: openai/m2"
    assert said in failures(outputs)[0].error
    assert KEY not in repr(outputs)


@pytest.mark.parametrize("how", ["overloaded_after", "cut_after", "ends_after", "hangs_after"])
async def test_the_next_provider_goes_on_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str):
    claude = AnthropicEndpoint(says("We open at eight in the morning.", **{how: 3}))
    async with (
        OpenAIEndpoint(answer("eight, as every day.")) as second,
        a_call(tmp_path, monkeypatch, claude, second, patience="500ms") as brain,
    ):
        outputs = await outputs_of(brain, "when do you open")
        remembered = [message.text for message in await brain.messages()]
    # Asked again it breaks off once more, after the words that it was to leave out; one that hangs is not asked again.
    assert words(outputs) == "We open at eight, as every day."
    assert remembered[-1] == words(outputs)


@pytest.mark.parametrize("arguments", ['{"day": "Mon', "[1, 2]", '"Monday"', "{day: Monday}"])
async def test_malformed_arguments_are_told_to_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
):
    claude = AnthropicEndpoint(says("", ("opening_hours", arguments)), says("Which day, please?"))
    async with a_call(tmp_path, monkeypatch, claude) as brain:
        outputs = await outputs_of(brain, "when are you open")
    assert words(outputs) == "Which day, please?"
    (result,) = [output for output in outputs if isinstance(output, ToolResult)]
    assert not result.ok


async def test_interrupting_hangs_up_on_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    claude = AnthropicEndpoint(says("One two three.", hangs_after=1), says("Yes?"))
    async with a_call(tmp_path, monkeypatch, claude) as brain:
        async for _ in brain.reply("hello"):
            break
        began = asyncio.get_running_loop().time()
        await brain.heard("One", interrupted=True)
        await asyncio.sleep(0.1)
        assert claude.hung_up_at
        assert claude.hung_up_at[0] - began < 0.05
        outputs = await outputs_of(brain, "wait")
    (cut, whole) = [output for output in outputs if isinstance(output, Used)]
    assert cut.estimated
    assert cut.output_tokens == 1
    assert not whole.estimated


def test_connections_end_with_their_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def one_call() -> str:
        async with a_call(tmp_path, monkeypatch, AnthropicEndpoint(says("Hello."))) as brain:
            return words(await outputs_of(brain, "hello"))

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        assert [asyncio.run(one_call()) for _ in "ab"] == ["Hello.", "Hello."]


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(providers, "_is_missing", lambda provider: provider.name == "anthropic")
    with pytest.raises(Exception, match=r'anthropic is not installed\. .*"voicebot\[cloud\]"'):
        providers.choose("llm", ["anthropic"], tmp_path)
