"""Write the reference pages again from the code they describe: docs/agent-file.md and docs/events.md.

    make docs                            # write them
    python docs/generate.py --check      # exit code 1 when one of them is out of date

Types and defaults come from the models' JSON schema, the sentences from the docstrings beneath their fields.
"""

from __future__ import annotations

import ast
import functools
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard, get_args

from pydantic import BaseModel

from voicebot import agent, events, flow

DOCS = Path(__file__).resolve().parent
MADE = "<!-- Written by `make docs` from {source}. Change the docstrings there, not this page. -->\n"

AGENT_FILE = """# The agent file

    voicebot new dental
    voicebot talk --agent dental/agents/ava.yaml --text

One YAML file is one agent, complete on its own. A key that is not on this page, a value of the wrong type, a missing
tool or an unreadable knowledge file stops with the file, the line and what to write instead, and exit code 2. Paths in
the file are relative to the project's folder: the one that holds `agents/`.
"""

EVENTS = """# The events of a call

    voicebot demo
    voicebot calls show last

Everything that happens in a call is one event, one JSON object a line in `calls/<id>/events.jsonl`, written as it
happens. Screens, records and checks read these events and nothing else. The `type` says which event it is, and each
event has these keys beside its own:

| Key | Type | Meaning |
| --- | --- | --- |
| `v` | `1` | The version of this format. |
| `t_ms` | number | Milliseconds since the call was answered, on the call's own clock. |
| `turn` | integer | 0 while the agent greets, then n from the first sound of the caller's n-th turn on. |
"""


def main() -> int:
    pages = {"agent-file.md": agent_page(), "events.md": events_page()}
    stale = [name for name, text in pages.items() if not _is_current(DOCS / name, text)]
    if "--check" not in sys.argv:
        for name in stale:
            (DOCS / name).write_text(pages[name])
            print(f"docs/{name} written")
        return 0
    for name in stale:
        print(f"docs/{name} is out of date; run: make docs", file=sys.stderr)
    return 1 if stale else 0


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def agent_page() -> str:
    schema = agent.Agent.model_json_schema()
    rooms = (flow.__name__, agent.__name__)
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith(rooms)]
    known = [model for module in modules for model in vars(module).values() if _is_model(model)]
    models = {model.__name__: model for model in known}
    parts = [AGENT_FILE, MADE.format(source="voicebot/agent/ and voicebot/flow/")]
    places = dict(_places(schema))
    for name, place in places.items():
        part = schema["$defs"].get(name, schema)
        parts += [f"\n## {f'`{place}`' if place else 'The file'}\n", _summary(models[name])]
        parts += _table(part, models[name], list(part["properties"]), places)
    return "\n".join(parts) + "\n"


def _is_model(value: object) -> TypeGuard[type[BaseModel]]:
    return inspect.isclass(value) and issubclass(value, BaseModel)


def _places(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(model, where in the file) of every part of the agent file, each where it is met first."""
    waiting, seen = [("Agent", "")], {"Agent"}
    while waiting:
        name, place = waiting.pop(0)
        yield name, place
        found = []
        for key, value in schema["$defs"].get(name, schema)["properties"].items():
            for part, suffix in _parts(value):
                if part not in seen:
                    seen.add(part)
                    found.append((part, f"{place}.{key}".lstrip(".") + suffix))
        waiting = found + waiting


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(model, how it is reached) of every part that a key holds: `[]` in a list, `.NAME` under names of one's own."""
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2], ""
    for choice in schema.get("anyOf", []):
        yield from _parts(choice)
    for suffix, inner in (("[]", schema.get("items")), (".NAME", schema.get("additionalProperties"))):
        if isinstance(inner, dict):
            yield from ((part, suffix + deeper) for part, deeper in _parts(inner))


def events_page() -> str:
    parts = [EVENTS, MADE.format(source="voicebot/events.py")]
    for event in get_args(get_args(events.Event)[0]):
        schema = event.model_json_schema()
        own = [key for key in schema["properties"] if key not in {"v", "t_ms", "turn", "type"}]
        parts += [f"\n## `{event.model_fields['type'].default}`\n", _summary(event)]
        parts += _table(schema, event, own, {}) if own else []
    return "\n".join(parts) + "\n"


def _summary(model: type[BaseModel]) -> str:
    return _line(model.__dict__.get("__doc__") or "")


def _table(schema: dict[str, Any], model: type[BaseModel], keys: list[str], places: dict[str, str]) -> list[str]:
    meanings = docstrings(model)
    rows = ["\n| Key | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
    for key in keys:
        value = schema["properties"][key]
        default = "required" if key in schema.get("required", []) else _default(value)
        rows.append(f"| `{key}` | {_type(value, places)} | {default} | {_line(meanings.get(key, ''))} |")
    return rows


def _type(schema: dict[str, Any], places: dict[str, str]) -> str:
    """A JSON schema in words; a part of the file is a link to its own table, whose place is in `places`."""
    if "anyOf" in schema:
        return " or ".join(_type(choice, places) for choice in schema["anyOf"] if choice.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'], places)}"
    if isinstance(inner := schema.get("additionalProperties"), dict):
        return f"NAME: {_type(inner, places)}"
    if "$ref" in schema:
        place = places[schema["$ref"].rpartition("/")[2]]
        return f"[`{place}`](#{re.sub(r'[^a-z_-]', '', place.lower())})"
    words = {"string": "text", "boolean": "`true` or `false`", "object": "mapping"}
    kind = str(schema.get("type", "any"))
    return words.get(kind, kind)


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default in (None, "", [], {}) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


@functools.cache
def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The string beneath each field of a model's class body; an alias such as `with` stands for its field."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[model.model_fields[name].alias or name] = text
    return found


if __name__ == "__main__":
    sys.exit(main())
