"""OpenAI, and every server that speaks its chat completions (Ollama, vLLM, llama.cpp, LM Studio …).

With `brain.base_url` in the agent file the same client talks to that server, and a key is optional.
Protocol: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import openai
from anyio.lowlevel import checkpoint
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from voicebot.llm import LLM, SILENCE_S

BASE_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""What is sent as the key to a server that asks for none; the SDK insists on a value."""

_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[openai.DefaultAsyncHttpxClient]]
_pools = WeakKeyDictionary()


async def connect(
    model: str,
    *,
    base_url: str | None = None,
    key: SecretStr | None = None,
    temperature: float | None = None,
    silence_s: float = SILENCE_S,
) -> LLM:
    """A model of OpenAI, or of the server at `base_url`. Sends nothing yet. Retries are the brain's business."""
    await checkpoint()  # loads what the SDK would load in the middle of its first request, while a caller waits
    secret = key.get_secret_value() if key else NO_KEY
    url = base_url or BASE_URL
    chat = ChatOpenAI(
        model=model,
        base_url=url,
        api_key=SecretStr(secret),
        temperature=temperature,
        http_async_client=await _client(),
        use_responses_api=False,
        max_retries=0,
        stream_usage=base_url is None,
        stream_chunk_timeout=None,  # the brain watches the time, on the call's clock
    )
    return LLM(
        f"openai/{model}",
        chat,
        place=urlsplit(url).netloc or url,
        key="OPENAI_API_KEY",
        silence_s=silence_s,
        complete_key="finish_reason",
        secret=secret if key else "",
    )


async def _client() -> openai.DefaultAsyncHttpxClient:
    """One connection pool for each event loop, so that calls share warm connections."""
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        _pools[loop] = _pool(loop)
    return await anext(_pools[loop])


async def _pool(loop: asyncio.AbstractEventLoop) -> AsyncGenerator[openai.DefaultAsyncHttpxClient]:
    """The same client each time. A generator, because a loop that ends closes its generators, and so the client."""
    client = openai.DefaultAsyncHttpxClient(timeout=60.0)
    try:
        while True:
            yield client
    finally:
        _pools.pop(loop, None)
        await client.aclose()
