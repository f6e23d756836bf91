"""A persona's settings as YAML: all that are in force, or only those that differ from the defaults."""

from __future__ import annotations

from typing import Any

import yaml

from .line import LINES
from .persona import Persona

_ORDER = ("name", "about", "voice", "line", "hard", "temperament", "domain", "goal", "facts", "says", "refuses")


def effective(persona: Persona) -> dict[str, Any]:
    """All of them, defaults included; habits the persona does not have are left out."""
    return _ordered(persona.model_dump(mode="json", exclude_none=True))


def differing(persona: Persona) -> dict[str, Any]:
    """Those that have to stand in its file."""
    found = _ordered(persona.model_dump(mode="json", exclude_defaults=True))
    named = next((name for name, line in LINES.items() if line == persona.line), None)
    return found | ({"line": named} if named and "line" in found else {})


def _ordered(found: dict[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in _ORDER if found.get(key) not in (None, {}, [], "")}


def text(persona: Persona) -> str:
    """The effective settings, fit to be a persona file."""
    return written(effective(persona))


def written(settings: dict[str, Any]) -> str:
    """As YAML that people like to read: short parts in one line."""
    return yaml.dump(settings, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


class _Dumper(yaml.SafeDumper):
    """Says things twice rather than with anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        return True
