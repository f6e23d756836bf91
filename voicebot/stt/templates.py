"""Sentences with choices, `(a|b|)`, and classes, `{day}`: a small language to write many sentences in one line."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

_INNERMOST = re.compile(r"\(([^()]*)\)")
_CLASS = re.compile(r"\{(\w+)\}")


def sample(template: str, classes: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    """One of the sentences `template` stands for. Members of a class may hold choices and classes themselves.

    Raises KeyError for an unknown class. An empty class leaves nothing in its place.
    """
    text = template
    while True:
        if found := _INNERMOST.search(text):
            chosen = chance.choice(found.group(1).split("|"))
        elif found := _CLASS.search(text):
            members = classes[found.group(1)]
            chosen = chance.choice(members) if members else ""
        else:
            return " ".join(text.split())
        text = f"{text[: found.start()]} {chosen} {text[found.end() :]}" if chosen else _without(text, found)


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"
