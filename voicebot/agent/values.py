"""The kinds of values that an agent file is made of: texts, durations, lists in which one may stand for many."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from voicebot.errors import did_you_mean


def as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def without_repeats(values: list[Any]) -> list[Any]:
    repeated = next((value for index, value in enumerate(values) if value in values[:index]), None)
    if repeated is not None:
        raise ValueError(f"'{repeated}' is listed twice.")
    return values


def _seconds(value: Any) -> Any:
    """'8s', '500ms' or '2m' in seconds; a bare number is in seconds already."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m)", value.strip())
    if match is None:
        raise ValueError(f"'{value}' is no duration. Write it with a unit: 500ms, 8s or 2m.")
    return float(match[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[match[2]]


def language_code(code: str) -> str:
    if re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?", code):
        return code
    base, _, region = code.replace("_", "-").partition("-")
    proper = base.lower() + (f"-{region.upper()}" if region else "")
    hint = did_you_mean(proper, [proper]) if re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", proper) else ""
    raise ValueError(f"'{code}' is no language code such as 'en' or 'en-US'.{hint}")


def web_address(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", url):
        raise ValueError(f"'{url}' is no web address. Write it with http:// or https://.")
    return url.rstrip("/")


Item = TypeVar("Item")
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
OneOrMore = Annotated[
    list[Item],
    BeforeValidator(as_list, json_schema_input_type=str | list[str]),
    AfterValidator(without_repeats),
]
"""A list in which a single text may stand for a list of one: `stt: sphinx` is `stt: [sphinx]`."""
Duration = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str | float)]


class Part(BaseModel):
    """Any mapping of the file: an unknown key is an error, and each setting is explained beneath its field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
