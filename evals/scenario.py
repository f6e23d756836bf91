"""A scenario: who calls, what they want, and what must be true afterwards.

What counts is the end state, not the path: the records that the agent's tools keep in `data/*.json` (a JSON list of
objects in each file) when the call is over, and how the call ended.

    scenario = find("books", root)
    problems = check(scenario, root, facts={"name": "Maria Lopez"}, ended="caller_hung_up")    # [] when all is well
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from voicebot import paths, validation, yamlfile
from voicebot.agent import OneOrMore, Text
from voicebot.errors import BadInput, did_you_mean

Value = str | int | float | bool | None
Ending = Literal["caller_hung_up", "agent_hung_up", "handed_over", "input_ended"]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FACT = re.compile(r"\{(\w+)\}")


def _store(file: str) -> str:
    if Path(file).is_absolute() or ".." in Path(file).parts or not file.endswith(".json"):
        raise ValueError(f"'{file}' is no JSON file of the project. Write it as data/NAME.json.")
    return file


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Records(_Part):
    """Records that a tool keeps."""

    file: Annotated[Text, AfterValidator(_store)]
    """The JSON file, relative to the project's folder."""
    where: dict[str, Value] = {}
    """Fields and their values. `{name}` in a value stands for that fact of the caller. Text is compared without regard
    to case and spacing; a weekday matches every date on it."""


class Expected(Records):
    """Records that must be there."""

    count: Annotated[int, Field(ge=0)] | None = None
    """How many, exactly; without it, at least one."""


class Scenario(_Part):
    """A scenario file."""

    name: Text
    """What reports call it."""
    goal: Text
    """What the caller wants, one sentence for people."""
    agent: Text
    """The agent that is called: the name of its file in `agents/`."""
    persona: OneOrMore[Text]
    """Who calls: names of files in `personas/`. Each is a call of its own."""
    ended: OneOrMore[Ending] = []
    """How the call may end; without it, in any way."""
    expect: list[Expected] = []
    """What must be in the tools' stores after the call."""
    never: list[Records] = []
    """What must not be there."""

    @model_validator(mode="after")
    def _can_fail(self) -> Scenario:
        if not (self.ended or self.expect or self.never):
            raise ValueError("nothing is checked. Add 'expect', 'never' or 'ended'.")
        return self


def load(path: Path) -> Scenario:
    """The scenario in a file. Raises BadInput, one line a problem."""
    return validation.build(yamlfile.read(path), Scenario)


def find(name: str, root: Path) -> Scenario:
    """The scenario called `name` (its file's stem) in the project `root`. Raises BadInput."""
    folder = paths.evals_dir(root)
    files = {path.stem: path for path in paths.yaml_files(folder)}
    if name not in files:
        raise BadInput(f"no scenario '{name}' in {paths.shown(folder)}.{did_you_mean(name, files)}")
    return load(files[name])


def check(
    scenario: Scenario, root: Path, facts: Mapping[str, str] | None = None, ended: str | None = None
) -> list[str]:
    """What is not as the scenario wants it, one sentence each; empty when the call has passed.

    `facts` are the caller's, for `{name}` in the scenario; `ended` is the reason of the call's end. What cannot be
    checked (no such file, no such fact) is a problem too.
    """
    problems = []
    if scenario.ended and ended not in scenario.ended:
        problems.append(f"the call ended with '{ended or 'nothing known'}', not with {' or '.join(scenario.ended)}")
    unwanted = [Expected(file=each.file, where=each.where, count=0) for each in scenario.never]
    for wanted in [*scenario.expect, *unwanted]:
        try:
            problems += _missed(wanted, root, facts or {})
        except ValueError as error:
            problems.append(f"{wanted.file}: {error}")
    return problems


def _missed(wanted: Expected, root: Path, facts: Mapping[str, str]) -> list[str]:
    """Raises ValueError when it cannot be told."""
    where = {field: _filled(value, facts) for field, value in wanted.where.items()}
    records = _read(root / wanted.file)
    _check_fields(where, records)
    found = sum(all(_same(value, record.get(field)) for field, value in where.items()) for record in records)
    if found == wanted.count or (wanted.count is None and found):
        return []
    number = "at least 1" if wanted.count is None else wanted.count or "no"
    fields = ", ".join(f"{field} {value}" for field, value in where.items()) or "anything"
    return [f"{wanted.file}: expected {number} of {len(records)} records with {fields}, found {found or 'none'}"]


def _filled(value: Value, facts: Mapping[str, str]) -> Value:
    if not isinstance(value, str):
        return value
    for fact in _FACT.findall(value):
        if fact not in facts:
            raise ValueError(f"the caller has no fact '{fact}'.{did_you_mean(fact, facts)}")
    return _FACT.sub(lambda match: facts[match[1]], value)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError("does not exist.") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot be read: {error}.") from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ValueError("is not a list of objects.")
    return records


def _check_fields(where: Mapping[str, Value], records: list[dict[str, Any]]) -> None:
    """A field that no record has is a slip of the pen, which would let 'never' pass."""
    known = {field for record in records for field in record}
    for field in where:
        if records and field not in known:
            raise ValueError(f"no record has a field '{field}'.{did_you_mean(field, known)}")


def _same(wanted: Value, kept: object) -> bool:
    if not isinstance(wanted, str) or not isinstance(kept, str):
        return type(wanted) is type(kept) and wanted == kept
    plain_wanted, plain_kept = (" ".join(text.split()).casefold() for text in (wanted, kept))
    return plain_wanted == plain_kept or (plain_wanted in _WEEKDAYS and _weekday(plain_kept) == plain_wanted)


def _weekday(text: str) -> str | None:
    try:
        return _WEEKDAYS[date.fromisoformat(text).weekday()]
    except ValueError:
        return None
