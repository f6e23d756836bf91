"""Which tools were called, with what, how often and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for
from pydantic import AfterValidator, Field

from voicebot.evals.result import Finding

from .evidence import Evidence, ToolRun, Unknown
from .stores import same
from .values import Count, Part, Text


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"'schema' is not a JSON schema: {error.message}.") from None
    return schema


class Called(Part):
    """A tool that must be called."""

    tool: Text
    """Its name, as the agent's tools are called."""
    with_: dict[str, Any] = Field(default={}, alias="with")
    """Arguments that the call must have, a subset of all it has. `{day}` stands for that fact of the caller; nested
    mappings are subsets, too."""
    schema_: Annotated[dict[str, Any], AfterValidator(_schema)] = Field(default={}, alias="schema")
    """A JSON schema that the arguments must satisfy."""
    returns: dict[str, Any] = Field(default={})
    """What its result must hold, a subset: `{outcome: taken}`."""
    times: Count | None = None
    """How often such a call must be made, exactly; without it, at least once."""


def check(
    called: Sequence[Called], not_called: Sequence[str], order: Sequence[str], most_calls: int | None, call: Evidence
) -> Iterator[Finding]:
    """One finding for every declaration. A call without a record shows nothing, so every one of them fails."""
    for wanted in called:
        yield _called(wanted, call)
    for name in not_called:
        run = next((each for each in call.tools if each.name == name), None)
        says = f"'{name}' was called and must not be" if run else f"'{name}' was not called"
        yield _finding("not_called", run is None, says, call, run)
    if order:
        yield _order(order, call)
    if most_calls is not None:
        runs = call.tools
        says = f"{len(runs)} calls of tools, at most {most_calls} are allowed"
        last = runs[most_calls] if len(runs) > most_calls else None
        yield _finding("most_calls", last is None, says, call, last)


def _called(wanted: Called, call: Evidence) -> Finding:
    name = f"called {wanted.tool}"
    try:
        arguments, result = call.filled_all(wanted.with_), call.filled_all(wanted.returns)
    except Unknown as error:
        return _finding(name, False, str(error), call)
    of_name = [run for run in call.tools if run.name == wanted.tool]
    fitting = [run for run in of_name if _fits(run, arguments, wanted.schema_, result)]
    number = "at least once" if wanted.times is None else f"{wanted.times} times"
    says = f"'{wanted.tool}' should be called {number}{_how(arguments, wanted, result)}; it was {len(fitting)} times"
    if not fitting and of_name:
        says += f", and {len(of_name)} times otherwise: {_shown(of_name[-1])}"
    ok = len(fitting) == wanted.times if wanted.times is not None else bool(fitting)
    return _finding(name, ok, says, call, None if ok else next(iter(of_name[-1:]), None))


def _fits(run: ToolRun, arguments: dict[str, Any], schema: dict[str, Any], result: dict[str, Any]) -> bool:
    if not subset(arguments, run.arguments) or (result and not subset(result, run.result)):
        return False
    return not schema or bool(validator_for(schema)(schema).is_valid(dict(run.arguments)))


def subset(wanted: Any, found: Any) -> bool:
    """Whether everything wanted is there: keys of mappings, every item of a list in its place, equal values."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and subset(wanted[key], found[key]) for key in wanted)
    if isinstance(wanted, list):
        same_length = isinstance(found, list) and len(wanted) == len(found)
        return same_length and all(subset(*pair) for pair in zip(wanted, found, strict=True))
    return same(wanted, found)


def _how(arguments: dict[str, Any], wanted: Called, result: dict[str, Any]) -> str:
    parts = [f" with {_pairs(arguments)}" if arguments else ""]
    parts += [" as its schema says" if wanted.schema_ else "", f" returning {_pairs(result)}" if result else ""]
    return "".join(parts)


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _shown(run: ToolRun) -> str:
    failed = " (failed)" if run.ok is False else ""
    return f"{run.name}({', '.join(f'{key}={value!r}' for key, value in run.arguments.items())}){failed}"


def _order(order: Sequence[str], call: Evidence) -> Finding:
    """The names must appear in this order; others may stand between them."""
    names = [run.name for run in call.tools]
    left = iter(names)
    missing = next((name for name in order if name not in left), None)
    says = f"tools ran as {' > '.join(names) or 'none'}, wanted {' > '.join(order)}"
    if missing is not None:
        says += f"; '{missing}' is not in its place" if Counter(names)[missing] else f"; '{missing}' never ran"
    return _finding("order", missing is None, says, call)


def _finding(name: str, ok: bool, says: str, call: Evidence, run: ToolRun | None = None) -> Finding:
    if not call.talked:
        return Finding(check=name, ok=False, stage="call", says="there is no record of the call")
    quote = _shown(run) if run else ""
    stage = "tools" if run and run.ok is False else "brain"
    return Finding(check=name, ok=ok, stage=stage, says=says, at_ms=run.at_ms if run else None, quote=quote)
