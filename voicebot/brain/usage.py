"""How many tokens an answer of a model used, and what they cost: as the provider counts, else estimated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from voicebot.brain import Used
from voicebot.llm import LLM
from voicebot.money.prices import Tokens

CHARACTERS_PER_TOKEN = 4
"""For the estimate. Close for English; languages with long words or other letters take more tokens."""


def used(
    llm: LLM, sent: Sequence[BaseMessage], tools: Sequence[dict[str, Any]], chunks: Sequence[AIMessageChunk]
) -> Used:
    """What one request used, answered as far as `chunks`.

    Providers count at the end of an answer. One that was cut short before, by the caller or by a fault, is estimated,
    and says so.
    """
    counted = _counted(chunks)
    tokens = counted or Tokens(_size([message.text for message in sent], tools), _size(_texts(chunks)))
    cost_usd = llm.price.cost_usd(tokens) if llm.price else None
    return Used(llm.name, tokens.input, tokens.cached, tokens.output, cost_usd, estimated=counted is None)


def _counted(chunks: Iterable[AIMessageChunk]) -> Tokens | None:
    total: UsageMetadata | None = None
    for chunk in chunks:
        if chunk.usage_metadata:
            total = add_usage(total, chunk.usage_metadata)
    if total is None:
        return None
    # Some providers tell apart for how long they keep what they wrote: 'ephemeral_5m_input_tokens'.
    details = {name: value for name, value in total.get("input_token_details", {}).items() if isinstance(value, int)}
    cached = details.get("cache_read", 0)
    written = sum(value for name, value in details.items() if name == "cache_creation" or name.startswith("ephemeral_"))
    return Tokens(total["input_tokens"], total["output_tokens"], cached, written)


def _texts(chunks: Iterable[AIMessageChunk]) -> list[str]:
    return [chunk.text + "".join(call["args"] or "" for call in chunk.tool_call_chunks) for chunk in chunks]


def _size(texts: Iterable[str], tools: Sequence[dict[str, Any]] = ()) -> int:
    characters = sum(map(len, texts)) + (len(json.dumps(tools)) if tools else 0)
    return -(-characters // CHARACTERS_PER_TOKEN)
