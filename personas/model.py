"""A language model by its name, for a simulated caller or a judge: outside of any agent."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

from voicebot import config, providers
from voicebot.llm import LLM


async def connected(model: str, root: Path, *, base_url: str | None = None, temperature: float = 0.0) -> LLM:
    """The model 'provider/model', ready to be asked; `root` is the project whose keys are used. `base_url` is a server
    that speaks OpenAI's protocol. Raises BadInput for an unknown name, Unavailable when it cannot run here."""
    choice = providers.choose("llm", [model], root, keyless="openai" if base_url else "")
    provider = choice.provider
    elsewhere = base_url if provider.name == "openai" else None
    module = importlib.import_module(provider.module)
    llm: LLM = await module.connect(
        choice.model,
        base_url=elsewhere or provider.base_url or None,
        key=config.key(provider.key, root),
        temperature=temperature,
        **({"root": root} if provider.store else {}),
    )
    return replace(llm, name=choice.name, key=provider.key)
