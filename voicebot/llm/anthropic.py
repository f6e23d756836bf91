"""Claude, by Anthropic's Messages API. Needs the extra `cloud`.

The tools and the system prompt are the same bytes in every request of an agent; a mark behind them has Anthropic keep
what it has read of them for five minutes, at a tenth of the price and of the time.
Protocol: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import anthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import BaseMessage, SystemMessage
from pydantic import PrivateAttr, SecretStr

from voicebot.connections import shared
from voicebot.llm import LLM, SILENCE_S

BASE_URL = "https://api.anthropic.com"
LONGEST_ANSWER = 4096
"""Tokens of one answer, thinking included: far more than anybody says on the phone in one go."""

# Newer models think before they speak unless they are told otherwise; a caller would hear silence meanwhile.
# https://platform.claude.com/docs/en/models/haiku-5-5/whats-new-haiku-5-5
_THINK_UNLESS_TOLD = ("claude-haiku-5-5", "claude-opus-5", "claude-sonnet-5")
_ALWAYS_THINK = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5", "claude-fable-5-1")


async def connect(
    model: str,
    *,
    base_url: str | None = None,
    key: SecretStr | None = None,
    temperature: float | None = None,
    silence_s: float = SILENCE_S,
) -> LLM:
    """A Claude model. Sends nothing yet. A temperature is left out for models that refuse one."""
    url = base_url or BASE_URL
    chat = _Chat(
        model=model,
        base_url=url,
        api_key=key or SecretStr(""),
        max_tokens=LONGEST_ANSWER,
        max_retries=0,
        **_at_once(model),
    )
    if (chat.profile or {}).get("temperature", True):
        chat.temperature = temperature
    chat._http = await shared(_client)
    return LLM(
        f"anthropic/{model}",
        chat,
        place=urlsplit(url).netloc or url,
        key="ANTHROPIC_API_KEY",
        silence_s=silence_s,
        complete_key="stop_reason",
        no_tools={"type": "none"},
        shaped=_marked,
        secret=key.get_secret_value() if key else "",
    )


def _at_once(model: str) -> dict[str, Any]:
    """Settings with which the model begins to speak as soon as it can."""
    if model in _THINK_UNLESS_TOLD:
        return {"thinking": {"type": "disabled"}}
    return {"output_config": {"effort": "low"}} if model in _ALWAYS_THINK else {}


def _marked(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Marked for Anthropic's cache behind the system prompt, which the tools precede."""
    first, *rest = messages
    if not isinstance(first, SystemMessage):
        return list(messages)
    block = {"type": "text", "text": first.text, "cache_control": {"type": "ephemeral"}}
    return [SystemMessage([block]), *rest]


class _Chat(ChatAnthropic):  # type: ignore[misc]  # what comes with an extra has no type here
    """On connections of this event loop. LangChain's own client outlives the loop that it was made on."""

    _http: anthropic.DefaultAsyncHttpxClient = PrivateAttr()

    @cached_property
    def _async_client(self) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(**self._client_params, http_client=self._http)


def _client() -> anthropic.DefaultAsyncHttpxClient:
    return anthropic.DefaultAsyncHttpxClient(timeout=60.0)
