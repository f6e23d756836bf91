"""Names that are common in the languages of the agents (known_names.yaml), and words that end a name."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import yaml

from voicebot.brain import nlu
from voicebot.brain.guardrails.reading import fold


@lru_cache(maxsize=1)
def _data() -> dict[str, frozenset[str]]:
    data: dict[str, str] = yaml.load((resources.files(__package__) / "known_names.yaml").read_bytes(), yaml.CSafeLoader)
    return {name: frozenset(fold(text).split()) for name, text in data.items()}


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Those that are ordinary words as well included."""
    return _data()["given"] | _data()["words_too"]


def family_names() -> frozenset[str]:
    return _data()["family"]


def words_too() -> frozenset[str]:
    """Given names that are more often something else ("will", "may", "grace")."""
    return _data()["words_too"]


@lru_cache(maxsize=1)
def no_names() -> frozenset[str]:
    """Words that are hardly anybody's name: those that the brain knows for its slots, and more that end a name here."""
    ordinary: dict[str, str] = yaml.load((resources.files(nlu) / "names.yaml").read_bytes(), yaml.CSafeLoader)
    return (frozenset(fold(ordinary["ordinary"]).split()) | _data()["no_names"]) - given_names()


def particles() -> frozenset[str]:
    """Small words inside a name ("van", "de")."""
    return _data()["particles"]
