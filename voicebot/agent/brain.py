"""What an agent knows and can do: the `brain` of an agent file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from voicebot import references
from voicebot.agent.filler import Filler, Fillers
from voicebot.agent.guardrails import Guardrails
from voicebot.agent.tools import Tools
from voicebot.agent.values import Duration, OneOrMore, Part, Text, web_address

_OF_OUR_GRAPH = (
    "llm", "prompt", "base_url", "temperature", "patience", "speculative", "tools", "knowledge", "context",
)  # fmt: skip
"""What a graph that is not ours does not read."""


class Brain(Part):
    """What the agent knows and can do."""

    llm: OneOrMore[Annotated[Text, AfterValidator(references.llm)]] = Field(default=[])
    """The language model, as `provider/model`, for example `openai/gpt-4.1-mini`. The first that is available is used,
    the rest are fallbacks. None is needed when the agent has a `flow`."""
    prompt: Text | None = None
    """What the language model is told: who it is, what it may do and how it speaks."""
    base_url: Annotated[Text, AfterValidator(web_address)] | None = None
    """The address of an OpenAI-compatible endpoint, for example `https://llm.example.com/v1`, for the models named
    `openai/...`. The other providers know their own address."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """How freely the language model chooses its words, from 0 to 2; without it, the model's own default."""
    patience: Annotated[Duration, Field(ge=0.5, le=60)] = 3.0
    """How long a model may be silent, before its first word and between two, until the next one of `llm` is asked. The
    last one may be silent for longer before its first word (8 s for a provider on the network), since nobody else is
    left to ask."""
    speculative: bool = True
    """Ask the model as soon as the caller has probably finished, while that is still being decided. The answer comes
    earlier; a question asked too soon is thrown away and its tokens are paid for nothing. Nothing is said and no tool
    runs before the caller's turn is over."""
    filler: Fillers = Filler()
    """What the caller hears ("One moment.") while the agent has no answer yet; `false` for silence."""
    tools: Tools = Field(default=[])
    """What the agent can do besides talking: Python functions as `FILE.py:FUNCTION` relative to the project's folder,
    requests to web services, MCP servers, and the built-in `press_keys`."""
    knowledge: OneOrMore[Annotated[Text, AfterValidator(references.knowledge)]] = Field(default=[])
    """Text files the agent answers from, as paths or patterns relative to the project's folder. Those that take no more
    than half of `context` are part of the prompt; of more, each turn gets the passages that fit its question."""
    context: Annotated[int, Field(ge=2000, le=2_000_000)] = 8000
    """How many tokens a request to the language model may have, with prompt, tools, knowledge and conversation. When a
    call gets longer, a summary stands for its oldest turns; numbers, names and other facts in them stay word for word.
    The model must take this many and its answer: with less than 24 GB of graphics memory, Ollama takes 4096 unless it
    is told otherwise."""

    graph: Annotated[Text, AfterValidator(references.graph)] | None = None
    """A LangGraph graph of your own that answers the caller instead of all this: `graph.py:graph`, `my_pkg.graph:build`
    or `langgraph.json:agent`. Its state must have `messages`; it brings its own models and tools."""
    checkpoints: Literal["memory", "sqlite", "postgres"] = "memory"
    """Where conversations are kept besides the process's memory: in `calls/checkpoints.sqlite`, or in the PostgreSQL
    database that `DATABASE_URL` names (in the environment or in `.env`)."""

    guardrails: Guardrails | None = None
    """What the agent must not hear, pass on or say. They hold for the whole call, also behind a handoff."""

    @model_validator(mode="after")
    def _graph_answers_alone(self) -> Self:
        if self.graph:
            beside = next((key for key in _OF_OUR_GRAPH if key in self.model_fields_set), None)
            if beside:
                raise ValueError(f"{beside}: only one can answer, and your graph does not read it. Remove one of them.")
        return self

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.llm and not self.prompt:
            raise ValueError("a language model needs a prompt. Add 'prompt' to 'brain'.")
        names = [name for tool in self.tools for name in tool.names]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two tools are called '{twice}'. Give one of them another name.")
        return self
