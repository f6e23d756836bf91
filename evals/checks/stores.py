"""The end state: what the agent's tools keep in `data/*.json` when the call is over. It counts, not the path to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import Field

from voicebot.errors import did_you_mean
from voicebot.evals.result import Finding, Stage
from voicebot.personas.facts import WEEKDAYS

from .evidence import Evidence, Unknown
from .values import Count, Part, Store, Value


class Records(Part):
    """Records that a tool keeps."""

    file: Store
    """The JSON file, relative to the project's folder: `data/NAME.json`, a list of objects."""
    where: dict[str, Value] = Field(default={})
    """Fields and their values. `{name}` in a value stands for that fact of the caller. Text is compared without regard
    to case and spacing; a weekday matches every date on it."""


class Expected(Records):
    """Records that must be there."""

    count: Count | None = None
    """How many, exactly; without it, at least one."""


def check(
    expect: Sequence[Expected], never: Sequence[Records], unchanged: Sequence[str], call: Evidence
) -> Iterator[Finding]:
    """One finding for every declaration."""
    for wanted in expect:
        yield _finding(f"expect {wanted.file}", wanted, call)
    for each in never:
        yield _finding(f"never {each.file}", Expected(file=each.file, where=each.where, count=0), call)
    for file in unchanged:
        yield _unchanged(file, call)


def _finding(name: str, wanted: Expected, call: Evidence) -> Finding:
    try:
        where = {field: call.filled(value) for field, value in wanted.where.items()}
        records = _records(call.trial.after, wanted.file)
        _check_fields(where, [*records, *_before(call, wanted.file)])
    except Unknown as error:
        return Finding(check=name, ok=False, stage="tools", says=f"{wanted.file}: {error}")
    found = [each for each in records if _fits(each, where)]
    number = "at least 1 record" if wanted.count is None else _counted(wanted.count)
    fields = ", ".join(f"{field} {value}" for field, value in where.items()) or "anything in it"
    says = f"{wanted.file}: expected {number} with {fields}, found {len(found) or 'none'} of {len(records)}"
    ok = len(found) == wanted.count if wanted.count is not None else bool(found)
    if ok:
        return Finding(check=name, ok=True, stage="tools", says=says)
    return Finding(check=name, ok=False, stage=_blamed(wanted.file, where, found, call), says=says, at_ms=_moment(call))


def _counted(count: int) -> str:
    return "no record" if count == 0 else f"{count} record{'s' if count > 1 else ''}"


def _unchanged(file: str, call: Evidence) -> Finding:
    name = f"unchanged {file}"
    try:
        before, after = _content(call.trial.before, file), _content(call.trial.after, file)
    except Unknown as error:
        return Finding(check=name, ok=False, stage="tools", says=f"{file}: {error}")
    if before == after:
        return Finding(check=name, ok=True, stage="tools", says=f"{file} is as it was")
    new = [each for each in after if each not in before] if isinstance(after, list) else []
    gone = [each for each in before if each not in after] if isinstance(before, list) else []
    says = f"{file} should be as it was: {len(new)} new or changed, {len(gone)} gone"
    return Finding(check=name, ok=False, stage="brain", says=says, at_ms=_moment(call), quote=str(new or gone)[:200])


def _content(stores: Mapping[str, Any], file: str) -> Any:
    if file not in stores:
        raise Unknown("does not exist or holds no JSON.")
    return stores[file]


def _records(stores: Mapping[str, Any], file: str) -> list[dict[str, Any]]:
    records = _content(stores, file)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise Unknown("is not a list of objects.")
    return records


def _before(call: Evidence, file: str) -> list[dict[str, Any]]:
    records = call.trial.before.get(file)
    return [each for each in records if isinstance(each, dict)] if isinstance(records, list) else []


def _check_fields(where: Iterable[str], records: Sequence[Mapping[str, Any]]) -> None:
    """A field that no record has is a slip of the pen, which would let 'never' pass."""
    known = {field for record in records for field in record}
    for field in where:
        if records and field not in known:
            raise Unknown(f"no record has a field '{field}'.{did_you_mean(field, known)}")


def _fits(record: Mapping[str, Any], where: Mapping[str, Value]) -> bool:
    return all(field in record and same(value, record[field]) for field, value in where.items())


def same(wanted: Any, kept: object) -> bool:
    """Whether a value is the one that is wanted: text without regard to case and spacing, a weekday as its dates."""
    if not isinstance(wanted, str) or not isinstance(kept, str):
        return type(wanted) is type(kept) and wanted == kept
    plain_wanted, plain_kept = (" ".join(text.split()).casefold() for text in (wanted, kept))
    return plain_wanted == plain_kept or (plain_wanted in WEEKDAYS and _weekday(plain_kept) == plain_wanted)


def _weekday(text: str) -> str | None:
    try:
        return WEEKDAYS[date.fromisoformat(text).weekday()]
    except ValueError:
        return None


def _blamed(file: str, where: Mapping[str, Value], found: Sequence[Mapping[str, Any]], call: Evidence) -> Stage:
    """Who is asked first: a tool that did something else than it was asked for, else the ear if it heard facts wrong,
    else the brain that did not ask."""
    values = [value for value in where.values() if isinstance(value, str)]
    asked = [run for run in call.tools if all(_among(value, run.arguments.values()) for value in values)]
    failed = any(run.ok is False for run in call.tools)
    if failed or (not found and values and asked) or _on_its_own(file, where, found, call):
        return "tools"
    entities = call.measures.entities
    return "ear" if not found and entities.hits < entities.n else "brain"


def _on_its_own(file: str, where: Mapping[str, Value], found: Sequence[Mapping[str, Any]], call: Evidence) -> bool:
    """Whether a tool has written or removed what no call of a tool names."""
    before = _before(call, file)
    lost = [] if found else [record for record in before if _fits(record, where)]
    if lost and not any(_among(value, record.values()) for record in lost for value in _named(call)):
        return True
    written = [record for record in found if record not in before]
    if not written:
        return False
    alike = [sum(_among(value, written[0].values()) for value in run.arguments.values()) for run in call.tools]
    most = max(alike, default=0)
    return most > 0 and len(written) > alike.count(most)


def _named(call: Evidence) -> list[Any]:
    """Everything that tools were called with."""
    return [value for run in call.tools for value in run.arguments.values() if value is not None]


def _among(value: Value, arguments: Iterable[object]) -> bool:
    return any(same(value, argument) for argument in arguments)


def _moment(call: Evidence) -> float | None:
    """Where to listen first: the last tool that ran."""
    return call.tools[-1].at_ms if call.tools else None
