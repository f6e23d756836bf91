"""Llama and every other GGUF model, in this process, through llama.cpp: no key, no network, no server.

    llama/llama-3.1-8b-instruct   a model of the catalogue (`voicebot models list`)
    llama/models/my.gguf          any GGUF file, relative to the project or absolute

`connect` makes one ready. From a request to its computation:

    chat        LangChain's view of a model
    template    a conversation as the text that the model continues
    calls       the tools of a request, and reading the calls that a model writes
    grammar     what a call may look like, from the schemas of the tools
    syntax      how families of models write calls
    engine      one thread for each model, all calls in each of its steps
    request     one answer in the making
    seats       what has been computed for each call, and is not computed again
    sampling    the next token, freely or within a grammar
    native      llama.cpp itself
    probe       how fast a model is here
"""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from voicebot import models
from voicebot.errors import MissingExtra
from voicebot.llm import LLM, SILENCE_S

if TYPE_CHECKING:
    from voicebot.llm.llama.chat import ChatLlama

EXTRA = "llama"


async def connect(
    model: str,
    *,
    base_url: str | None = None,
    key: SecretStr | None = None,
    temperature: float | None = None,
    silence_s: float = SILENCE_S,
    root: Path | None = None,
) -> LLM:
    """Load a model, once for all calls of this process. `base_url` and `key` are for other providers.

    Raises MissingExtra, BadInput for a file that is no model, Unavailable when it is not there or does not fit.
    """
    path = models.located(model, root)
    load = functools.partial(_loaded, path, model, temperature)
    chat = await asyncio.get_running_loop().run_in_executor(None, load)
    return LLM(
        f"llama/{model}",
        chat,
        place=f"{model} on this machine",
        silence_s=silence_s,
        complete_key="finish_reason",
        warm=chat.warm,
    )


def _loaded(path: Path, name: str, temperature: float | None) -> ChatLlama:
    """Importing takes a while, too."""
    try:
        from voicebot.llm.llama.chat import ChatLlama
        from voicebot.llm.llama.engine import engine
    except ModuleNotFoundError as missing:
        raise MissingExtra("llama-cpp-python", EXTRA) from missing
    worker = engine(path, name)
    worker.ready.result()
    return ChatLlama(engine=worker, temperature=temperature)
