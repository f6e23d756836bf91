"""Tools: what the agent can do besides talking. A Python function with type hints and a docstring is a tool.

Its docstring tells the model when to use it, its signature what to pass; what the model passes is validated against
the signature before the function runs. Plain functions run in a worker thread, `async` ones on the event loop; both
have `TIMEOUT_S` to answer. Whatever goes wrong becomes a sentence for the model and `ok=False` in the record, never
the end of the call.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import to_json, to_jsonable_python
from typing_extensions import TypedDict

from voicebot import clock
from voicebot.brain import HandOver, HangUp
from voicebot.errors import BadInput, did_you_mean

TIMEOUT_S = 10.0
"""How long a tool may take before the model is told that it did not answer."""


@dataclass(frozen=True)
class Outcome:
    """What came of running a tool."""

    ok: bool
    result: Any
    """JSON-able; a sentence when not ok."""
    duration_ms: float = 0.0
    ending: HangUp | HandOver | None = None
    """How the call ends once the reply has been spoken, when the tool ends it."""

    @property
    def content(self) -> str:
        """The result as the model reads it."""
        return self.result if isinstance(self.result, str) else to_json(self.result).decode()


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    function: Callable[..., Any]
    arguments: TypeAdapter[dict[str, Any]]
    timeout_s: float = TIMEOUT_S

    @classmethod
    def of(cls, function: Callable[..., Any], where: str) -> Tool:
        """The tool that `function` is. Raises BadInput, naming `where`, when it cannot serve as one."""
        description = inspect.cleandoc(function.__doc__ or "")
        if not description:
            raise BadInput(f"{where} has no docstring. Say in it what the tool does and when to use it.")
        return cls(function.__name__, description, function, _arguments(function, where))

    def schema(self) -> dict[str, Any]:
        """The tool in the shape of OpenAI's `tools` parameter, which every LangChain model takes."""
        parameters = self.arguments.json_schema()
        parameters.pop("title", None)
        for name, parameter in inspect.signature(self.function).parameters.items():
            shape = parameters["properties"][name]
            shape.pop("title", None)
            if parameter.default is not parameter.empty:
                shape["default"] = to_jsonable_python(parameter.default, fallback=str)
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": parameters},
        }

    async def run(self, arguments: Mapping[str, Any]) -> Outcome:
        """Validate and run; whatever fails is a sentence in the outcome."""
        try:
            checked = self.arguments.validate_python(dict(arguments))
        except ValidationError as error:
            return Outcome(False, f"{self.name} was not run: {_complaint(error)}. Correct the arguments.")
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        ok, result = await self._answer(checked)
        duration_ms = round((loop.time() - began_s) * 1000, 3)
        if isinstance(result, HangUp | HandOver):
            return Outcome(True, _FAREWELL[type(result)], duration_ms, result)
        return Outcome(ok, to_jsonable_python(result, fallback=str), duration_ms)

    async def _answer(self, arguments: dict[str, Any]) -> tuple[bool, Any]:
        limit = asyncio.timeout(self.timeout_s)
        try:
            async with limit:
                return True, await self._call(arguments)
        except Exception as error:  # noqa: BLE001  # a user's tool may raise anything, and the call goes on
            if limit.expired():
                return False, f"{self.name} gave no answer within {self.timeout_s:g} s; it may still take effect."
            return False, f"{self.name} failed: {type(error).__name__}: {error}".removesuffix(": ")

    async def _call(self, arguments: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self.function):
            with clock.work():  # it may wait for a network
                return await self.function(**arguments)
        job = functools.partial(contextvars.copy_context().run, self.function, **arguments)
        return await asyncio.get_running_loop().run_in_executor(None, job)


class Toolbox:
    """The tools of an agent, by name. `hidden` ones can be run but are not shown to a model."""

    def __init__(self, tools: Iterable[Tool], hidden: Iterable[Tool] = ()) -> None:
        shown = list(tools)
        self._tools: dict[str, Tool] = {}
        for tool in (*shown, *hidden):
            if tool.name in self._tools:
                raise BadInput(f"two tools are called '{tool.name}'. Rename one of the functions.")
            self._tools[tool.name] = tool
        self.schemas = [tool.schema() for tool in shown]

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        tool = self._tools.get(name)
        if tool is None:
            return Outcome(False, f"There is no tool '{name}'.{did_you_mean(name, self._tools)}")
        return await tool.run(arguments)


END_CALL = "end_call"
HAND_OVER = "hand_over"
ENDINGS = frozenset({END_CALL, HAND_OVER})
"""The built-in tools after which nothing more has to be said."""

_FAREWELL = {
    HangUp: "The call ends as soon as the caller has heard your goodbye.",
    HandOver: "The caller is passed on as soon as they have heard that you do so.",
}


def end_call() -> Tool:
    """The built-in tool that hangs up."""

    def end_call(reason: str = "") -> HangUp:
        """Hang up. Say goodbye in the same answer. Only when the caller has nothing more to ask or says goodbye."""
        return HangUp(reason)

    return Tool.of(end_call, END_CALL)


def hand_over(default_to: str = "") -> Tool:
    """The built-in tool that passes the caller on, by default to `default_to`."""

    def hand_over(to: str = default_to, reason: str = "") -> HandOver:
        """Pass the caller on to a person or another agent, when they ask for one or you cannot help."""
        if not to:
            raise ValueError("it has to be said to whom")
        return HandOver(to, reason)

    return Tool.of(hand_over, HAND_OVER)


def _arguments(function: Callable[..., Any], where: str) -> TypeAdapter[dict[str, Any]]:
    """A validator for the keyword arguments of `function`; unknown names are an error."""
    fields: dict[str, Any] = {}
    hints = _hints(function, where)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise BadInput(f"{where}: parameter '{name}' must be an ordinary one that has a name.")
        if name not in hints:
            raise BadInput(f"{where}: parameter '{name}' has no type hint. Write for example {name}: str")
        fields[name] = hints[name] if parameter.default is parameter.empty else NotRequired[hints[name]]
    at_run_time: Any = TypedDict  # type checkers know this call only with literals
    shape = at_run_time(function.__name__, fields)
    shape.__pydantic_config__ = ConfigDict(extra="forbid")
    try:
        adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(shape)
        adapter.json_schema()
    except PydanticUserError as error:
        raise BadInput(f"{where}: a model cannot fill in these parameters: {error.message}") from error
    return adapter


def _hints(function: Callable[..., Any], where: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise BadInput(f"{where}: a type hint names something unknown: {error}") from error


def _complaint(error: ValidationError) -> str:
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in wrong)
