"""Write the reference pages again from the code they describe: the files, the events and the REST interface.

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
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeGuard, get_args

from pydantic import BaseModel

from voicebot import agent, events, flow
from voicebot.errors import MissingExtra
from voicebot.evals import scenario, suite
from voicebot.personas import persona
from voicebot.telephony import phonebook

DOCS = Path(__file__).resolve().parent
MADE = "<!-- Written by `make docs` from {source}. Change the docstrings there, not this page. -->\n"

AGENT_FILE = """# The agent file

    voicebot new dental
    voicebot talk --agent dental/agents/ava.yaml --text

One YAML file is one agent, complete on its own. A key that is not on this page, a value of the wrong type, a missing
tool or an unreadable knowledge file stops with the file, the line and what to write instead, and exit code 2. Paths in
the file are relative to the project's folder: the one that holds `agents/`.
"""

PERSONA_FILE = """# The persona file

    voicebot persona show thinker
    voicebot persona try thinker

One YAML file is one simulated caller; it lies in a project's `personas/`, and there is a library of them. Only `name`
is required. `domain`, `goal`, `facts`, `says` and `refuses` are a matter of its own; a persona without them plays the
roles of scenarios. A key that is not on this page, or a value of the wrong type, stops with the file, the line and what
to write instead. [Personas](personas.md) explains them.
"""

SCENARIO_FILE = """# The scenario file

    voicebot new clinic --template dental
    cat clinic/evals/books-cleaning.yaml

One YAML file in a project's `evals/` says what a call is about and what must be true after it. A key that is not on
this page, or a value of the wrong type, stops with the file, the line and what to write instead. [Scenarios and
suites](evals.md) explains them.

Durations are written with a unit: `800ms`, `2s`, `3m`. Shares are between 0 and 1.
"""

SUITE_FILE = """# The suite file

    voicebot new clinic --template dental
    cat clinic/evals/suites/ci.yaml

One YAML file in a project's `evals/suites/` says which scenarios are played by whom, over which lines, how often.
[Scenarios and suites](evals.md) explains it.
"""

PHONE_FILE = """# phone.yaml

    voicebot phone route --to +12025550100 --from +12025550123

The telephone settings of a project stand in `phone.yaml` beside `agents/`: who takes the calls of its numbers
([routing](routing.md)), and how its agents call others ([outbound](outbound.md)). A server reads it anew when it
changes. A key that is not on this page, a value of the wrong type, hours or an agent that do not exist stop with the
file, the line and what to write instead.

Numbers are written with their country, as `+12025550123`. Times are those of the clock on the wall, in a time zone.
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
| `t_ms` | number | Milliseconds since the call was answered, on the call's own clock: the place in `call.wav`. |
| `lag_ms` | number | How much later it would have happened on the real clock; 0 there. See below. |
| `turn` | integer | 0 while the agent greets, then n from the first sound of the caller's n-th turn on. |

Simulated calls run on a clock that skips idling and stands still while something is computed. What the computing really
took is the lag, so how long it took from one event to another is the difference of their `t_ms + lag_ms`. The times
that were measured in the audio (`speech_start_ms`, `speech_end_ms`, `ends_ms`) have no lag; `decided_ms` has its own
beside it; a clause begins to be heard at `starts_ms` plus what of its lag is not covered by the wait until then
(`voicebot.latency.heard_ms`). Records without `lag_ms` are from before it and read as 0.
"""


def main() -> int:
    pages = {
        "agent-file.md": agent_page(),
        "events.md": events_page(),
        "persona-file.md": persona_page(),
        "phone-file.md": phone_page(),
        "scenario-file.md": scenario_page(),
        "suite-file.md": suite_page(),
        **openapi_page(),
    }
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
    rooms = (flow.__name__, agent.__name__)
    return _file_page(agent.Agent, rooms, AGENT_FILE, "voicebot/agent/ and voicebot/flow/")


def persona_page() -> str:
    return _file_page(persona.Persona, ("voicebot.personas",), PERSONA_FILE, "personas/")


def phone_page() -> str:
    rooms = ("voicebot.telephony",)
    return _file_page(phonebook.Phonebook, rooms, PHONE_FILE, "voicebot/telephony/phonebook.py and hours.py")


def scenario_page() -> str:
    rooms = ("voicebot.personas", "voicebot.evals")
    return _file_page(scenario.Scenario, rooms, SCENARIO_FILE, "evals/scenario.py, evals/checks/ and personas/")


def suite_page() -> str:
    rooms = ("voicebot.personas", "voicebot.evals")
    elsewhere = {"Checks": "scenario-file.md#checks"}
    return _file_page(suite.Suite, rooms, SUITE_FILE, "evals/suite.py", elsewhere)


def _file_page(
    model: type[BaseModel],
    rooms: tuple[str, ...],
    opening: str,
    source: str,
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Every key of a kind of file; `rooms` are the modules that hold its models, `elsewhere` are models that another
    page explains: name and link."""
    schema = model.model_json_schema()
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith(rooms)]
    known = [each for module in modules for each in vars(module).values() if _is_model(each)]
    models = {each.__name__: each for each in known}
    parts = [opening, MADE.format(source=source)]
    own = dict(_places(schema, model.__name__, elsewhere))
    places = {**own, **elsewhere}
    for name, place in own.items():
        part = schema.get("$defs", {}).get(name, schema)
        parts += [f"\n## {f'`{place}`' if place else 'The file'}\n", _summary(models[name])]
        parts += _table(part, models[name], _own_first(part["properties"], models[name]), places)
    return "\n".join(parts) + "\n"


def _own_first(keys: Iterable[str], model: type[BaseModel]) -> list[str]:
    """A model's own keys before those of the model that it extends."""
    inherited = {name for base in model.__bases__ if _is_model(base) for name in base.model_fields}
    return sorted(keys, key=lambda key: key in inherited)


def _is_model(value: object) -> TypeGuard[type[BaseModel]]:
    return inspect.isclass(value) and issubclass(value, BaseModel)


def _places(schema: dict[str, Any], top: str, elsewhere: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(model, where in the file) of every part of the file, each where it is met first."""
    waiting, seen = [(top, "")], {top, *elsewhere}
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
    """(model, how it is reached) of every part that a key holds: `[]` in a list, `.NAME` under names of one's own,
    `:kind` where the key `kind` tells several apart."""
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2], ""
    for choice in schema.get("anyOf", []):
        yield from _parts(choice)
    kinds = {reference: kind for kind, reference in schema.get("discriminator", {}).get("mapping", {}).items()}
    for choice in schema.get("oneOf", []):
        kind = kinds.get(choice.get("$ref"))
        yield from ((part, f":{kind}{deeper}" if kind else deeper) for part, deeper in _parts(choice))
    for suffix, inner in (("[]", schema.get("items")), (".NAME", schema.get("additionalProperties"))):
        if isinstance(inner, dict):
            yield from ((part, suffix + deeper) for part, deeper in _parts(inner))


def openapi_page() -> dict[str, str]:
    """Nothing where the packages that the server needs are not installed."""
    try:
        from voicebot.server.rest.openapi import openapi
    except (MissingExtra, ModuleNotFoundError) as missing:
        print(f"docs/openapi.json is left as it is: {missing}", file=sys.stderr)
        return {}
    return {"openapi.json": json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"}


def events_page() -> str:
    parts = [EVENTS, MADE.format(source="voicebot/events/")]
    for event in get_args(get_args(events.Event)[0]):
        schema = event.model_json_schema()
        own = [key for key in schema["properties"] if key not in {"v", "t_ms", "lag_ms", "turn", "type"}]
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
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_type(choice, places) for choice in choices if choice.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "prefixItems" in schema:
        return f"[{', '.join(_type(each, places) for each in schema['prefixItems'])}]"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'], places)}"
    if isinstance(inner := schema.get("additionalProperties"), dict):
        return f"NAME: {_type(inner, places)}"
    if "$ref" in schema:
        place = places[schema["$ref"].rpartition("/")[2]]
        if ".md#" in place:
            return f"[`{place.rpartition('#')[2]}`]({place})"
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
    above = [base for base in model.__bases__ if _is_model(base) and base is not BaseModel]
    found = {name: text for base in above for name, text in docstrings(base).items()}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[model.model_fields[name].alias or name] = text
    return found


if __name__ == "__main__":
    sys.exit(main())
