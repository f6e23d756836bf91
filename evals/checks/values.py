"""The kinds of values that checks are written with: patterns, shares, budgets, files of the store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from voicebot.agent.values import Duration, OneOrMore, Part, Text

__all__ = ["Budget", "Count", "Duration", "OneOrMore", "Part", "Pattern", "Share", "Store", "Text", "Value", "facts_in"]

Value = str | int | float | bool | None
PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
"""A fact of the caller in a text or pattern: {day}. `\\d{5}` is a pattern's own business."""


def _pattern(text: str) -> str:
    try:
        re.compile(PLACE.sub("x", text))
    except re.error as error:
        raise ValueError(f"'{text}' is not a regular expression: {error}.") from None
    return text


def _store(file: str) -> str:
    if Path(file).is_absolute() or ".." in Path(file).parts or not re.fullmatch(r"data/.+\.json", file):
        raise ValueError(f"'{file}' is no JSON file of the tools. Write it as data/NAME.json.")
    return file


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("a budget must be more than nothing.")
    return seconds


Pattern = Annotated[Text, AfterValidator(_pattern)]
"""A regular expression; upper and lower case are the same, and `{fact}` is any way to say that fact of the caller."""
Store = Annotated[Text, AfterValidator(_store)]
"""A JSON file that a tool keeps: 'data/appointments.json'."""
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Budget = Annotated[Duration, AfterValidator(_positive)]


def facts_in(value: Any) -> Iterator[str]:
    """The facts that `{...}` names in any text of a value: a text, a list, a mapping."""
    if isinstance(value, str):
        yield from PLACE.findall(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "schema":  # a JSON schema is taken as it is
                yield from facts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from facts_in(inner)
