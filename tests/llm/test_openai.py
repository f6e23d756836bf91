"""The OpenAI provider: what it sends, whom it asks, what it never tells."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from voicebot.llm import LLM, fault, openai

KEY = "sk-secret-0123456789"


async def ask(server: OpenAIEndpoint, **how: Any) -> tuple[LLM, str]:
    llm = await openai.connect("small", base_url=server.url, **how)
    return llm, "".join([chunk.text async for chunk in llm.model.astream([HumanMessage("hi")])])


async def test_a_compatible_server_needs_no_key():
    async with OpenAIEndpoint(answer("Hello.")) as server:
        assert (await ask(server))[1] == "Hello."
    assert server.keys == [openai.NO_KEY]


async def test_the_key_goes_to_the_server_and_nowhere_else(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with OpenAIEndpoint(answer(status=401, error=f"Incorrect API key provided: {KEY}.")) as server:
        llm = await openai.connect("small", base_url=server.url, key=SecretStr(KEY))
        with pytest.raises(Exception, match="401") as error:
            await llm.model.ainvoke([HumanMessage("hi")])
    assert server.keys == [KEY]
    assert KEY not in repr(llm)
    assert KEY not in fault(error.value, llm).sentence
    assert KEY not in fault(ValueError(f"the server said {KEY}"), llm).sentence
    assert KEY not in caplog.text


async def test_temperature_is_sent_only_when_it_is_set():
    async with OpenAIEndpoint(answer("Hello.")) as server:
        await ask(server)
        await ask(server, temperature=0.2)
    assert "temperature" not in server.requests[0]
    assert server.requests[1]["temperature"] == 0.2


async def tokens(server: OpenAIEndpoint) -> tuple[int, int, int] | None:
    """(input, cached, output) that the server told."""
    llm = await openai.connect("small", base_url=server.url)
    told = [chunk.usage_metadata async for chunk in llm.model.astream([HumanMessage("hi")]) if chunk.usage_metadata]
    if not told:
        return None
    (usage,) = told
    return usage["input_tokens"], usage["input_token_details"]["cache_read"], usage["output_tokens"]


async def test_a_compatible_server_is_asked_for_token_counts_too():
    async with OpenAIEndpoint(answer("Hello.", used=(1200, 1000, 2))) as server:
        assert await tokens(server) == (1200, 1000, 2)


async def test_a_server_that_refuses_to_count_is_not_asked_again():
    def picky(body: dict[str, Any]) -> Answer:
        if "stream_options" in body:
            return answer(status=400, error="Unrecognized request argument supplied: stream_options")
        return answer("Hello.")

    async with OpenAIEndpoint(picky) as server:
        assert (await ask(server))[1] == "Hello."
        assert (await ask(server))[1] == "Hello."
    assert ["stream_options" in body for body in server.requests] == [True, False, False]


async def test_an_address_in_the_environment_does_not_divert_the_calls(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    llm = await openai.connect("gpt-4.1-mini", key=SecretStr(KEY))
    assert llm.place == "api.openai.com"
    assert isinstance(llm.model, ChatOpenAI)
    assert llm.model.openai_api_base == openai.BASE_URL


def test_connections_are_shared_on_a_loop_and_closed_with_it():
    clients: list[Any] = []

    async def two_calls() -> None:
        async with OpenAIEndpoint(answer("Hello.")) as server:
            for _ in "ab":
                llm, _ = await ask(server)
                assert isinstance(llm.model, ChatOpenAI)
                clients.append(llm.model.http_async_client)

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(2):
            asyncio.run(two_calls())
        gc.collect()
    assert clients[0] is clients[1]
    assert clients[1] is not clients[2]
    assert all(client.is_closed for client in clients)
