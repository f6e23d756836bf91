"""Servers with a name: each has its own address and key, and one client asks them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.project import a_call, outputs_of, project, words
from voicebot import providers
from voicebot.brain import Failed, Used
from voicebot.errors import BadInput, Unavailable

SERVERS = [each for each in providers.BUILT_IN if each.base_url]
KEYS = [each.key for each in providers.BUILT_IN if each.kind == "llm" and each.key]


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    yield
    monkeypatch.undo()
    providers.providers.cache_clear()


def at(monkeypatch: pytest.MonkeyPatch, **places: OpenAIEndpoint) -> None:
    """The servers called so are where the doubles listen."""
    moved = [replace(each, base_url=places[each.name].url) if each.name in places else each for each in SERVERS]
    rest = [each for each in providers.BUILT_IN if not each.base_url]
    monkeypatch.setattr(providers, "providers", lambda: (*rest, *moved))


def test_every_server_says_where_it_is_and_none_shares_a_key():
    assert {each.name for each in SERVERS} >= {
        "groq",
        "openrouter",
        "together",
        "mistral",
        "ollama",
        "llamacpp",
        "vllm",
    }
    assert all(each.base_url.startswith(("https://", "http://localhost:")) for each in SERVERS)
    assert len({each.base_url for each in SERVERS}) == len(SERVERS)
    assert len(KEYS) == len(set(KEYS))
    assert all(each.key == f"{each.name.upper()}_API_KEY" for each in SERVERS if each.key)


def test_auto_asks_nobody_on_the_network_who_is_not_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    try:
        chosen = [choice.provider for choice in providers.runnable("llm", ["auto"], tmp_path)]
    except Unavailable:
        chosen = []
    assert all(provider.offline for provider in chosen)
    monkeypatch.setenv("GROQ_API_KEY", "k")
    with_key = [choice.name for choice in providers.runnable("llm", ["auto"], tmp_path) if not choice.provider.offline]
    assert with_key == ["groq/openai/gpt-oss-20b"]


def test_a_server_on_this_machine_is_used_when_it_is_named(tmp_path: Path):
    assert providers.choose("llm", ["ollama/llama3.1"], tmp_path).name == "ollama/llama3.1"
    assert providers.choose("llm", ["ollama"], tmp_path).name == "ollama/llama3.1"


def test_a_server_of_many_models_has_to_be_told_which(tmp_path: Path):
    with pytest.raises(BadInput, match="vllm serves many models: say which one, as vllm/MODEL"):
        providers.choose("llm", ["vllm"], tmp_path)


async def test_each_is_asked_at_its_own_place_with_its_own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GROQ_API_KEY", "groq-key")
    groq, ollama, mine = (OpenAIEndpoint(answer(status=401)) for _ in range(3))
    mine.answers = [answer("Hello.", used=(10, 0, 2))]
    async with groq, ollama, mine:
        at(monkeypatch, groq=groq, ollama=ollama)
        llm = ["groq/openai/gpt-oss-20b", "ollama/llama3.1", "openai/own"]
        agent = project(tmp_path, {"llm": llm, "prompt": "You are Ava.", "base_url": mine.url})
        async with a_call(agent) as brain:
            outputs = await outputs_of(brain, "hello")
    assert words(outputs) == "Hello."
    assert (groq.keys, ollama.keys, mine.keys) == (["groq-key"], ["none"], ["none"])
    assert [server.requests[0]["model"] for server in (groq, ollama, mine)] == ["openai/gpt-oss-20b", "llama3.1", "own"]
    failed = [output for output in outputs if isinstance(output, Failed)]
    assert [each.remedy for each in failed] == ["next: ollama/llama3.1", "next: openai/own"]
    assert "does not accept the key in GROQ_API_KEY" in failed[0].error
    (used,) = [output for output in outputs if isinstance(output, Used)]
    assert (used.provider, used.cost_usd) == ("openai/own", None), "who runs that server alone knows what it costs"


async def test_a_known_server_has_its_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GROQ_API_KEY", "groq-key")
    async with OpenAIEndpoint(answer("Hello.", used=(1000, 0, 100))) as groq:
        at(monkeypatch, groq=groq)
        agent = project(tmp_path, {"llm": "groq/openai/gpt-oss-20b", "prompt": "You are Ava."})
        async with a_call(agent) as brain:
            (used,) = [output for output in await outputs_of(brain, "hello") if isinstance(output, Used)]
    assert used.cost_usd == pytest.approx((1000 * 0.075 + 100 * 0.30) / 1e6)
    assert not used.estimated
