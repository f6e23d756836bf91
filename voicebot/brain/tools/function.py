"""A Python function with type hints and a docstring is a tool.

Its docstring tells the model when to use it, its signature what to pass; what the model passes is validated against
the signature before the function runs. Plain functions run in a thread of their own, `async` ones on the event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NotRequired, get_type_hints

from langgraph.errors import GraphBubbleUp
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from voicebot import clock
from voicebot.brain.tools.tool import Manner, NotRun, Passing, Tool
from voicebot.errors import BadInput

THREADS = 64
"""Plain functions that may run, or hang, at the same time."""

_FINAL = (
    ArithmeticError, AssertionError, AttributeError, GraphBubbleUp, LookupError, NameError, TypeError, ValueError,
)  # fmt: skip
"""What a function raises because of what it was given or how it is written: trying again changes nothing."""

_room = threading.BoundedSemaphore(THREADS)


@dataclass(frozen=True, kw_only=True)
class Function(Tool):
    function: Callable[..., Any]
    arguments: TypeAdapter[dict[str, Any]]

    @classmethod
    def of(cls, function: Callable[..., Any], where: str, manner: Manner = Manner()) -> Function:  # noqa: B008 - it is frozen, so all may share it
        """The tool that `function` is. Raises BadInput, naming `where`, when it cannot serve as one."""
        description = inspect.cleandoc(function.__doc__ or "")
        if not description:
            raise BadInput(f"{where} has no docstring. Say in it what the tool does and when to use it.")
        arguments = _arguments(function, where)
        return cls(
            name=function.__name__,
            description=description,
            parameters=_parameters(function, arguments),
            place=f"{function.__module__}.{function.__name__}",
            manner=manner,
            function=function,
            arguments=arguments,
        )

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self.arguments.validate_python(dict(arguments))
        except ValidationError as error:
            raise NotRun(_complaint(error)) from None

    async def call(self, arguments: dict[str, Any]) -> Any:
        with clock.work():  # it may wait for a network
            if inspect.iscoroutinefunction(self.function):
                return await self.function(**arguments)
            return await _in_thread(functools.partial(self.function, **arguments))

    def may_pass(self, error: Exception) -> bool:
        return not isinstance(error, _FINAL)


async def _in_thread(function: Callable[[], Any]) -> Any:
    if not _room.acquire(blocking=False):
        raise Passing(f"{THREADS} tools still run")
    job = functools.partial(contextvars.copy_context().run, _to_its_end, function)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, job)


def _to_its_end(function: Callable[[], Any]) -> Any:
    """What it raises can be handed to whoever waits for it."""
    try:
        return function()
    except StopIteration as error:
        raise RuntimeError(f"StopIteration: {error}") from error  # a future cannot hold one
    except Exception:
        raise
    except BaseException as error:  # a tool that calls sys.exit() must not end the process
        raise RuntimeError(f"{type(error).__name__}: {error}") from error
    finally:
        _room.release()


class _Threads(clock.Outside):
    """A thread of its own for each job. If it hangs, it keeps nobody waiting: neither the engine's own threads nor the
    end of the process, as those of a pool would."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
                    future.set_exception(error)

        threading.Thread(target=run, name="tool", daemon=True).start()
        return future


_THREADS = _Threads()


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


def _parameters(function: Callable[..., Any], arguments: TypeAdapter[dict[str, Any]]) -> dict[str, Any]:
    """The JSON schema of the arguments, defaults included and titles left out."""
    parameters = arguments.json_schema()
    parameters.pop("title", None)
    for name, parameter in inspect.signature(function).parameters.items():
        shape = parameters["properties"][name]
        shape.pop("title", None)
        if parameter.default is not parameter.empty:
            shape["default"] = to_jsonable_python(parameter.default, fallback=str)
    return parameters


def _hints(function: Callable[..., Any], where: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise BadInput(f"{where}: a type hint names something unknown: {error}") from error


def _complaint(error: ValidationError) -> str:
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in wrong)
