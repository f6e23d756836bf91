"""The voices in eSpeak NG's data: one for each language, and variants that any of them can have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import espeakng_loader

_LINE = re.compile(r"^(name|dictionary|gender)[ \t]+(.+?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Base:
    """A voice without a variant; all of them sound male."""

    name: str
    """What it is called and which language it speaks: 'en-us'."""
    what: str
    """'English (America)'."""


@cache
def bases() -> tuple[Base, ...]:
    """Those that come with their dictionary, by name."""
    data = Path(espeakng_loader.get_data_path())
    found = []
    for path in (data / "lang").rglob("*"):
        if path.is_file():
            lines = dict(_LINE.findall(path.read_text(encoding="utf-8", errors="replace")))
            words = lines.get("dictionary", "").strip() or path.name.lower().partition("-")[0]
            if (data / f"{words}_dict").is_file():
                found.append(Base(path.name.lower(), lines.get("name", path.name)))
    return tuple(sorted(found, key=lambda base: base.name))


@cache
def variants() -> dict[str, Literal["female", "male"]]:
    """What can follow the '+' of a voice and says what it sounds like; there are more that do not say."""
    found: dict[str, Literal["female", "male"]] = {}
    for path in sorted((Path(espeakng_loader.get_data_path()) / "voices" / "!v").iterdir()):
        lines = dict(_LINE.findall(path.read_text(encoding="utf-8", errors="replace")))
        if gender := lines.get("gender"):
            found[path.name] = "female" if gender.lower().startswith("female") else "male"
    return found
