"""A YAML document against its pydantic model: the instance, or one line for each problem.

    agents/ava.yaml:14:5 unknown key 'promt' in 'brain'. Did you mean 'prompt'?

A validator that looks at several values says where the wrong one stands, as a path from its own model:
`raise ValueError("goals.book.ask.2: unknown slot 'dya'.")`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from voicebot.errors import BadInput, did_you_mean
from voicebot.yamlfile import Document, Loc

MAX_LINES = 20
MAX_LENGTH = 400

_MEANT = re.compile("Did you mean '([^']*)'")
_QUOTED = re.compile("'([^']*)'")

Model = TypeVar("Model", bound=BaseModel)


def build(document: Document, model: type[Model], context: object = None) -> Model:
    """The document as a `model`; `context` reaches its validators. Raises BadInput, one line a problem."""
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as error:
        problems = _problems(document, model, error.errors(include_url=False))
    lines = [f"{document.shown}:{line}:{column} {_one_line(text)}" for line, column, text in sorted(set(problems))]
    more = [f"... and {len(lines) - MAX_LINES} more."] if len(lines) > MAX_LINES else []
    raise BadInput("\n".join(lines[:MAX_LINES] + more))


def _one_line(sentence: str) -> str:
    """Whatever a value that is quoted in it holds."""
    line = " ".join(sentence.split())
    return line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 3]}..."


def _problems(document: Document, model: type[BaseModel], errors: list[ErrorDetails]) -> list[tuple[int, int, str]]:
    """One for each error, but none for a missing key that is only misspelt: its unknown spelling says so."""
    found = [(details, _problem(document, model, details)) for details in errors]
    meant = {
        (*details["loc"][:-1], suggestion[1])
        for details, (_, _, sentence) in found
        if details["type"] == "extra_forbidden" and (suggestion := _MEANT.search(sentence))
    }
    return [problem for details, problem in found if details["type"] != "missing" or details["loc"] not in meant]


def _problem(document: Document, model: type[BaseModel], details: ErrorDetails) -> tuple[int, int, str]:
    kind, loc, extra = details["type"], details["loc"], details.get("ctx", {})
    if kind.startswith("union_tag"):  # said of the key that tells a union's members apart
        loc = (*loc, extra["discriminator"].strip("'"))
    if kind == "value_error":
        return _said(document, loc, str(extra["error"]))
    line, column = document.position(loc, of_key=kind == "extra_forbidden")
    if kind == "extra_forbidden":
        known = {name for found in _models_at(model, loc[:-1]) for name in _keys(found)}
        return line, column, f"unknown key '{loc[-1]}'{_inside(loc)}.{did_you_mean(str(loc[-1]), known)}"
    if kind in ("missing", "union_tag_not_found"):
        return line, column, f"missing key '{loc[-1]}'{_inside(loc)}."
    return line, column, f"'{_name(loc)}' {_must(kind, details)}"


def _said(document: Document, loc: Loc, message: str) -> tuple[int, int, str]:
    """A validator's own sentence, at the place it names or else at its value."""
    sentence = message if message.endswith((".", "?", "!")) else f"{message}."
    path, colon, rest = sentence.partition(": ")
    steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))
    if colon and document.holds((*loc, *steps)):
        return *document.position((*loc, *steps)), rest
    return *document.position(loc), sentence


def _inside(loc: Loc) -> str:
    parent = [step for step in loc[:-1] if isinstance(step, str)]
    return f" in '{parent[-1]}'" if parent else ""


def _name(loc: Loc) -> str:
    words = [step for step in loc if isinstance(step, str)]
    return words[-1] if words else "the file"


_SHAPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "list_type": "a list",
    "dict_type": "'key: value' lines",
    "model_type": "'key: value' lines",
    "model_attributes_type": "'key: value' lines",
}


def _must(kind: str, details: ErrorDetails) -> str:
    """The rest of a sentence that begins with the key's name."""
    given, extra = details["input"], details.get("ctx", {})
    if kind in _SHAPES:
        if given is None:
            return f"has no value; it must be {_SHAPES[kind]}."
        quotes = " Put it in quotes." if kind == "string_type" and isinstance(given, (bool, int, float)) else ""
        return f"must be {_SHAPES[kind]}, not {_seen(given)}.{quotes}"
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        wrong = extra.get("tag", given)
        choices = _QUOTED.findall(extra.get("expected_tags") or extra["expected"])
        return f"cannot be {_seen(wrong)}.{did_you_mean(str(wrong), choices)}"
    message = details["msg"]
    for shape in ("Input", "String", "List", "Dictionary", "Value"):
        message = message.removeprefix(f"{shape} should ")
    return f"must {message}." if message != details["msg"] else f"is wrong: {message}."


def _seen(given: object) -> str:
    if isinstance(given, dict):
        return "'key: value' lines"
    if isinstance(given, list):
        return "a list"
    if isinstance(given, bool):
        return "true" if given else "false"
    text = str(given)
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _models_at(model: type[BaseModel], loc: Loc) -> list[type[BaseModel]]:
    """The models that may stand at `loc` below `model`: several where a union allows several."""
    types: list[Any] = [model]
    for step in loc:
        types = _below(types, step) or _tagged(types, step) or types
    return list(_models(types))


def _below(types: list[Any], step: str | int) -> list[Any]:
    if isinstance(step, int):
        return [get_args(kind)[0] for kind in _parts(types) if get_origin(kind) in (list, tuple)]
    fields = [each for model in _models(types) for each in model.model_fields.items()]
    values = [get_args(kind)[1] for kind in _parts(types) if get_origin(kind) is dict]
    return [field.annotation for name, field in fields if step in (name, field.alias)] + values


def _tagged(types: list[Any], step: str | int) -> list[Any]:
    """pydantic puts a union's tag (a literal's value, or the class name) into the loc: keep the model it names."""

    def bears(model: type[BaseModel]) -> bool:
        kinds = [field.annotation for field in model.model_fields.values()]
        return model.__name__ == step or any(step in get_args(kind) for kind in kinds if get_origin(kind) is Literal)

    return [model for model in _models(types) if bears(model)]


def _models(types: list[Any]) -> Iterator[type[BaseModel]]:
    return (kind for kind in _parts(types) if isinstance(kind, type) and issubclass(kind, BaseModel))


def _parts(types: list[Any]) -> Iterator[Any]:
    """The types with unions, Annotated and Optional opened."""
    for kind in types:
        origin = get_origin(kind)
        if (isinstance(kind, type) and origin is None) or origin in (list, tuple, dict, Literal):
            yield kind
        elif get_args(kind):
            yield from _parts(list(get_args(kind)))
