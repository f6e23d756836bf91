"""`{order_id}` in the address, the query and the body of an HTTP tool: where its arguments go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from voicebot.agent.tools import PLACEHOLDER
from voicebot.brain.tools.tool import NotRun

_ABSENT = object()
_NOT_IN_A_PATH = re.compile(r"[/\\\x00-\x1f\x7f]")


def path_filled(url: str, arguments: Mapping[str, Any]) -> str:
    """The address with its placeholders filled in, each within its own segment. Raises NotRun for a value that could
    lead out of it: encoding is not enough, as many servers decode before they route."""

    def one(match: re.Match[str]) -> str:
        value = _text(arguments[match[1]])
        if not value or _NOT_IN_A_PATH.search(value):
            raise NotRun(f"{match[1]} must be a plain word or number, without slashes")
        return quote(value, safe="")

    filled = PLACEHOLDER.sub(one, url)
    if any(segment in (".", "..") for segment in re.split(r"[/?#]", filled)):
        raise NotRun("an argument in the address must not be '.' or '..'")
    return filled


def filled(template: Any, arguments: Mapping[str, Any]) -> Any:
    """A copy of `template` with the arguments in it. What stands alone keeps its type; what names an argument that was
    left out is left out."""
    value = _filled(template, arguments)
    return None if value is _ABSENT else value


def _filled(template: Any, arguments: Mapping[str, Any]) -> Any:
    if isinstance(template, str):
        return _in_text(template, arguments)
    if isinstance(template, dict):
        values = {key: _filled(value, arguments) for key, value in template.items()}
        return {key: value for key, value in values.items() if value is not _ABSENT}
    if isinstance(template, list):
        items = [_filled(item, arguments) for item in template]
        return [item for item in items if item is not _ABSENT]
    return template


def _in_text(template: str, arguments: Mapping[str, Any]) -> Any:
    names = PLACEHOLDER.findall(template)
    if any(arguments.get(name) is None for name in names):
        return _ABSENT
    if PLACEHOLDER.fullmatch(template):
        return arguments[names[0]]
    return PLACEHOLDER.sub(lambda match: _text(arguments[match[1]]), template)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def placeholders(template: Any) -> set[str]:
    """The arguments that `template` uses."""
    return set(PLACEHOLDER.findall(str(template)))
