"""From the schemas of tools to a grammar (GBNF) of their calls.

What a schema demands beyond that (patterns, great lengths) is checked when the tool is called. Schemas may come from
elsewhere (MCP): none may crash the parser, which is C++ without a limit to its depth.
Format: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

from loguru import logger

from voicebot.llm.llama.syntax import Syntax

SEVERAL = 4
"""How many calls one answer may hold."""
LARGEST = 64
"""The largest number of repetitions that is put into a grammar."""
DEEPEST = 32
MOST_CHOICES = 500
LONGEST = 200_000
"""Characters of a grammar."""

_KEPT = {"type", "required", "const", "additionalProperties"}
_COUNTS = {"minItems", "maxItems", "minLength", "maxLength"}
_FORMATS = {"date", "time", "date-time", "uuid"}

Schema = dict[str, Any]


def of_words(syntax: Syntax) -> str:
    """Anything but a call."""
    first = "".join(sorted({opener[0] for opener in syntax.openers}))
    return f"root ::= [^{first}]*"


def of_calls(schemas: Sequence[Schema], syntax: Syntax) -> str:
    """A call of one of the tools, or several where the syntax knows that. `schemas` are OpenAI-shaped.

    '' when they cannot be put into a grammar.
    """
    return _of_calls(json.dumps(list(schemas)), syntax)


@functools.lru_cache(maxsize=64)
def _of_calls(schemas: str, syntax: Syntax) -> str:
    try:
        rules = _rules([_call(schema["function"], syntax) for schema in json.loads(schemas)])
    except Exception as error:  # noqa: BLE001  # whatever the schema is, the call goes on
        logger.warning(f"no grammar for the tools ({type(error).__name__}: {error}); their calls are not constrained")
        return ""
    more = f' ( "\\n"? one ){{0,{SEVERAL - 1}}}' if syntax.several else ""
    grammar = f"root ::= one{more}\none ::= {syntax.before} call {syntax.after}\n{rules}"
    return grammar if len(grammar) <= LONGEST else ""


def _rules(calls: Sequence[Schema]) -> str:
    from llama_cpp.llama_grammar import SchemaConverter

    definitions = {name: shape for call in calls for name, shape in call.pop("$defs").items()}
    converter = SchemaConverter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
    schema = converter.resolve_refs({"$defs": definitions, "anyOf": list(calls)}, "tools")
    converter.visit(schema, "call")
    rules: str = converter.format_grammar()
    return rules.replace('[^"\\\\] |', '[^"\\\\\\x00-\\x1F] |')  # JSON has no bare line breaks in strings


def _call(function: Schema, syntax: Syntax) -> Schema:
    """The schema of a call of this function, its definitions named after it so that two tools' do not mix."""
    name = _literal(function["name"])
    parameters = function.get("parameters") or {}
    arguments = _plain(parameters, name)
    if not arguments.get("properties"):
        arguments = {"type": "object", "properties": {}, "additionalProperties": False}
    definitions = parameters.get("$defs", {})
    return {
        "type": "object",
        "properties": {"name": {"const": name}, syntax.arguments: arguments},
        "required": ["name", syntax.arguments],
        "$defs": {f"{name}-{key}": _plain(shape, name) for key, shape in definitions.items()},
    }


def _plain(schema: Any, tool: str, depth: int = 0) -> Schema:
    """What of a schema goes into the grammar."""
    if not isinstance(schema, dict):
        return {}
    if depth > DEEPEST:
        raise ValueError("the schema is too deep")
    if reference := schema.get("$ref"):
        return {"$ref": f"#/$defs/{tool}-{reference.removeprefix('#/$defs/')}"}

    def inner(value: Any) -> Schema:
        return _plain(value, tool, depth + 1)

    plain = {key: schema[key] for key in _KEPT & schema.keys() if key != "const" or _is_literal(schema[key])}
    plain |= {key: schema[key] for key in _COUNTS & schema.keys() if 0 <= schema[key] <= LARGEST}
    if schema.get("format") in _FORMATS:
        plain["format"] = schema["format"]
    if 0 < len(schema.get("enum", ())) <= MOST_CHOICES and all(map(_is_literal, schema["enum"])):
        plain["enum"] = schema["enum"]
    if "properties" in schema:
        plain["properties"] = {_literal(key): inner(value) for key, value in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        plain["additionalProperties"] = inner(schema["additionalProperties"])
    if "items" in schema:
        plain["items"] = inner(schema["items"])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            plain[key] = [inner(value) for value in schema[key]]
    return plain


def _is_literal(value: Any) -> bool:
    """It can stand in a grammar: llama-cpp-python's converter does not escape backslashes."""
    return "\\" not in json.dumps(value, ensure_ascii=False)


def _literal(name: str) -> str:
    if not _is_literal(name):
        raise ValueError(f"{name!r} cannot stand in a grammar")
    return name
