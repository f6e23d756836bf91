"""Models, as the GenAI conventions describe them."""

from __future__ import annotations

from voicebot.events import ModelUsed
from voicebot.observe.span import Attributes, Value


def named(name: str) -> Attributes:
    """'openai/gpt-4.1-mini': who provides it, and which it is."""
    provider, _, model = name.partition("/")
    return {"gen_ai.provider.name": provider, "gen_ai.request.model": model or provider}


def usage(used: ModelUsed) -> Attributes:
    attributes: dict[str, Value] = {
        "gen_ai.usage.input_tokens": used.input_tokens,
        "gen_ai.usage.output_tokens": used.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": used.cached_tokens,
        "voicebot.usage.estimated": used.estimated,
    }
    return attributes if used.cost_usd is None else {**attributes, "voicebot.cost_usd": used.cost_usd}
