"""Language models: what every provider offers. One file a provider; `voicebot.providers` knows their names.

A provider's file has one function `connect` that returns an `LLM`; everything else (streaming, timeouts, retry, the
next provider, tools) is the same for all and lives in `voicebot.brain.respond`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from voicebot.money.prices import Price
from voicebot.observe.health import Health, health_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

SILENCE_S = 8.0
"""How long a model may be silent, before its first token and between two, when nobody else can be asked."""


@dataclass(frozen=True)
class LLM:
    """A chat model that is ready to be asked, as one call sees it."""

    name: str
    """'provider/model', for the record."""
    model: BaseChatModel
    place: str
    """Where it is asked, for sentences: 'api.openai.com'."""
    key: str = ""
    """The name of the setting that holds its key, for sentences; never the key."""
    silence_s: float = SILENCE_S
    """The longest silence it is allowed. With another model to ask, the agent's `brain.patience` is shorter."""
    complete_key: str = ""
    """The key of `response_metadata` that a complete answer carries; without it the answer was cut off."""
    no_tools: Any = "none"
    """The `tool_choice` with which it may call no tool."""
    shaped: Callable[[Sequence[BaseMessage]], list[BaseMessage]] = list
    """Messages as this provider wants them."""
    warm: Callable[[Sequence[BaseMessage], Sequence[dict[str, Any]]], Awaitable[None]] | None = None
    """Reads what every turn begins with (messages, tools), for a model whose first turn is slow otherwise."""
    price: Price | None = None
    """What its tokens cost; None when nobody knows."""
    secret: str = field(default="", repr=False)
    """The key itself, so that it can be taken out of what a server says. Never printed."""

    @property
    def health(self) -> Health:
        """Shared by all calls of the process that ask this model at this place."""
        return health_of("llm", self.name, self.place)


@dataclass(frozen=True)
class Fault:
    """Why a model did not answer, as one sentence for a person."""

    sentence: str
    passing: bool
    """Asking it again at once may help."""
    ours: bool = False
    """It is this request that it cannot answer; others it may."""


def fault(error: Exception, llm: LLM, silence_s: float | None = None) -> Fault:
    """What `error` means; `silence_s` is how long it was waited for.

    The classes are LangChain's own, which its provider packages raise for HTTP and network failures; anything else is
    named by its class and first line, with the key taken out.
    """
    from langchain_core import exceptions as lc

    if isinstance(error, TimeoutError | lc.ModelTimeoutError):
        return Fault(f"{llm.place} was silent for {silence_s or llm.silence_s:g} s.", passing=False)
    if isinstance(error, lc.ModelAuthenticationError):
        return Fault(f"{llm.place} does not accept the key in {llm.key or 'the settings'}.", passing=False)
    if isinstance(error, lc.ModelPermissionDeniedError):
        return Fault(f"the key in {llm.key or 'the settings'} may not use {llm.name}.", passing=False)
    if isinstance(error, lc.ModelNotFoundError):
        return Fault(f"{llm.place} has no model '{llm.name.partition('/')[2]}'.", passing=False)
    if isinstance(error, lc.ContextOverflowError):
        return Fault(f"the conversation no longer fits into {llm.name}.", passing=False, ours=True)
    said = _first_line(error, llm)
    if isinstance(error, lc.ModelRateLimitError):
        return Fault(f"{llm.place} refuses more requests for now: {said}", passing="insufficient_quota" not in said)
    if isinstance(error, lc.ModelConnectionError):
        return Fault(f"{llm.place} cannot be reached: {said}", passing=True)
    if isinstance(error, lc.ModelAPIError):
        return Fault(f"{llm.place} failed: {said}", passing=True)
    if isinstance(error, lc.ModelInvalidRequestError):
        return Fault(f"{llm.place} rejects the request: {said}", passing=False, ours=True)
    return Fault(f"{llm.place} gave an answer that cannot be read ({type(error).__name__}): {said}", passing=True)


def _first_line(error: Exception, llm: LLM) -> str:
    text = str(error)
    if llm.secret:
        text = text.replace(llm.secret, "***")
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    return line if len(line) <= 200 else line[:199] + "…"
