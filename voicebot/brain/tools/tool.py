"""A tool: what the agent can do besides talking, wherever it runs.

A tool checks what the model passes, and has a time limit for its answer. Whatever goes wrong becomes a sentence for
the model and `ok=False` in the record, never the end of the call. One that is declared idempotent is tried again when
it fails in a way that may pass; one that fails call after call is left alone for a while, by all calls of the process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.errors import GraphBubbleUp, is_invalid_resume
from pydantic_core import to_json, to_jsonable_python

from voicebot import clock
from voicebot.brain import Discreet, HandOver, HangUp, PressKeys
from voicebot.brain.tools.retry import Attempts
from voicebot.breaker import breaker_of

TIMEOUT_S = 10.0
"""How long a tool may take, all attempts together, before the model is told that it did not answer."""

Act = HangUp | HandOver | PressKeys | Discreet
"""What a built-in tool has the call do."""

_ACTED: dict[type[Act], str] = {
    HangUp: "The call ends as soon as the caller has heard your goodbye.",
    HandOver: "The caller is passed on as soon as they have heard that you do so.",
    Discreet: "Done. Go on with the conversation.",
    PressKeys: "The keys are pressed behind the words you have said so far.",
}
_LEFT_ALONE = "what it needs has failed several times and is left alone for a moment."


class NotRun(Exception):
    """The arguments do not fit; the sentence tells the model what to correct."""


class Refused(Exception):
    """The tool's other side understood and said no; the sentence tells the model why."""


class Passing(Exception):
    """The tool's other side did not do its work; another time it may."""


@dataclass(frozen=True)
class Outcome:
    """What came of running a tool."""

    ok: bool
    result: Any
    """JSON-able; a sentence when not ok."""
    duration_ms: float = 0.0
    act: Act | None = None
    """What the call has to do besides."""
    attempts: int = 1
    """How often it was tried; 0 when it was not run at all."""

    @property
    def content(self) -> str:
        """The result as the model reads it."""
        return self.result if isinstance(self.result, str) else to_json(self.result).decode()


@dataclass(frozen=True)
class Manner:
    """How a tool is used: what the agent file says beside what the tool is."""

    timeout_s: float = TIMEOUT_S
    idempotent: bool = False
    """Running it twice does no more than running it once."""
    background: bool = False
    """The agent goes on talking while it runs."""
    say: str = ""
    """What the agent says when it starts, unless it has said something already."""


@dataclass(frozen=True, kw_only=True)
class Tool(ABC):
    name: str
    description: str
    """When to use it, for the model."""
    parameters: dict[str, Any]
    """Its arguments, as a JSON schema of an object."""
    place: str = ""
    """What fails when it fails: the tools of one place share a circuit breaker. '' for one that cannot fail."""
    manner: Manner = Manner()

    @abstractmethod
    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as `call` takes them. Raises NotRun."""

    @abstractmethod
    async def call(self, arguments: dict[str, Any]) -> Any:
        """The result. Raises Refused, Passing, or whatever a user's own code raises."""

    def may_pass(self, error: Exception) -> bool:
        """Whether another attempt could do better."""
        return isinstance(error, Passing | TimeoutError)

    def schema(self) -> dict[str, Any]:
        """The tool in the shape of OpenAI's `tools` parameter, which every LangChain model takes."""
        about = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": about}

    async def run(self, arguments: Mapping[str, Any]) -> Outcome:
        """Check and run; whatever fails is a sentence in the outcome."""
        try:
            checked = self.checked(arguments)
        except NotRun as error:
            return Outcome(False, f"{self.name} was not run: {error}. Correct the arguments.", attempts=0)
        if self.place and not breaker_of(self.place).allows():
            return Outcome(False, f"{self.name} was not run: {_LEFT_ALONE}", attempts=0)
        began_s = clock.now_s()
        attempts = Attempts(self.manner.timeout_s, self.may_pass if self.manner.idempotent else None)
        ok, result = await self._answer(attempts, checked)
        duration_ms = round((clock.now_s() - began_s) * 1000, 3)
        if isinstance(result, Act):
            return Outcome(True, _ACTED[type(result)], duration_ms, result)
        return Outcome(ok, to_jsonable_python(result, fallback=str), duration_ms, attempts=attempts.made)

    async def _answer(self, attempts: Attempts, arguments: dict[str, Any]) -> tuple[bool, Any]:
        try:
            result = await attempts.until_done(lambda: self.call(arguments))
        except Exception as error:  # a tool may raise anything, and the call goes on
            if isinstance(error, GraphBubbleUp) or is_invalid_resume(error):
                raise  # interrupt() in a tool: the graph asks the caller, and then runs the tool again
            self._report(broken=self.may_pass(error))
            return False, self._sentence(error)
        self._report(broken=False)
        return True, result

    def _report(self, *, broken: bool) -> None:
        if self.place:
            breaker = breaker_of(self.place)
            breaker.failed() if broken else breaker.succeeded()

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, TimeoutError) and not str(error):
            return f"{self.name} gave no answer within {self.manner.timeout_s:g} s; it may still take effect."
        if isinstance(error, Refused | Passing):
            return f"{self.name} failed: {error}"
        return f"{self.name} failed: {type(error).__name__}: {error}".removesuffix(": ")
