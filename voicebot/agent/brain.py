"""What an agent knows and can do: the `brain` of an agent file."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from voicebot import references
from voicebot.agent.values import OneOrMore, Part, Text, web_address


class Brain(Part):
    """What the agent knows and can do."""

    llm: OneOrMore[Annotated[Text, AfterValidator(references.llm)]] = Field(default=[])
    """The language model, as `provider/model`, for example `openai/gpt-4.1-mini`. The first that is available is used,
    the rest are fallbacks. None is needed when the agent has a `flow`."""
    prompt: Text | None = None
    """What the language model is told: who it is, what it may do and how it speaks."""
    base_url: Annotated[Text, AfterValidator(web_address)] | None = None
    """The address of an OpenAI-compatible endpoint, for example `http://localhost:11434/v1`; without it, the
    provider's own."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """How freely the language model chooses its words, from 0 to 2; without it, the model's own default."""
    tools: OneOrMore[Annotated[Text, AfterValidator(references.tool)]] = Field(default=[])
    """Python functions the agent may call, as `FILE.py:FUNCTION` relative to the project's folder."""
    knowledge: OneOrMore[Annotated[Text, AfterValidator(references.knowledge)]] = Field(default=[])
    """Text files the agent answers from, as paths or patterns relative to the project's folder."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.llm and not self.prompt:
            raise ValueError("a language model needs a prompt. Add 'prompt' to 'brain'.")
        names = [reference.rpartition(":")[2] for reference in self.tools]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two tools are called '{twice}'. Give one of the functions another name.")
        return self
