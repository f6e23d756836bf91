"""OpenAI, and every server that speaks its chat completions (Ollama, vLLM, llama.cpp, Groq, OpenRouter …).

Which servers have a name of their own stands in `voicebot.providers`; any other is reached with `openai/MODEL` and
`brain.base_url` in the agent file, and a key is optional then.
Protocol: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import openai
from anyio.lowlevel import checkpoint
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from voicebot.connections import shared
from voicebot.llm import LLM, SILENCE_S

BASE_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""What is sent as the key to a server that asks for none; the SDK insists on a value."""

_uncounting: set[str] = set()
"""Addresses of servers that refuse to be asked for token counts."""


async def connect(
    model: str,
    *,
    base_url: str | None = None,
    key: SecretStr | None = None,
    temperature: float | None = None,
    silence_s: float = SILENCE_S,
) -> LLM:
    """A model of OpenAI, or of the server at `base_url`. Sends nothing yet. Retries are the brain's business."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, _load)
    await checkpoint()  # loads what the SDK would load in the middle of its first request, while a caller waits
    secret = key.get_secret_value() if key else NO_KEY
    url = base_url or BASE_URL
    make = partial(
        _Chat,
        model=model,
        base_url=url,
        api_key=SecretStr(secret),
        temperature=temperature,
        http_async_client=await shared(_client),
        use_responses_api=False,
        max_retries=0,
        stream_usage=url not in _uncounting,
        stream_chunk_timeout=None,  # the brain watches the time, on the call's clock
    )
    chat = await loop.run_in_executor(None, make)  # the greeting is being spoken meanwhile
    return LLM(
        f"openai/{model}",
        chat,
        place=urlsplit(url).netloc or url,
        key="OPENAI_API_KEY",
        silence_s=silence_s,
        complete_key="finish_reason",
        secret=secret if key else "",
    )


class _Chat(ChatOpenAI):
    """Asks for token counts, and no more where the server does not know that request."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        try:
            async for chunk in super()._astream(*args, **kwargs):
                yield chunk
        except openai.APIStatusError as error:
            if not self.stream_usage or error.status_code not in (400, 422) or "stream_options" not in str(error):
                raise
            _uncounting.add(self.openai_api_base or "")
            self.stream_usage = False
            async for chunk in super()._astream(*args, **kwargs):
                yield chunk


@cache
def _load() -> None:
    """What the SDK loads when its first client is made, off the event loop."""
    _client()


def _client() -> openai.DefaultAsyncHttpxClient:
    return openai.DefaultAsyncHttpxClient(timeout=60.0)
