"""New personas, drawn from a space of voices, lines and manners: `personas/space/drawn.yaml`.

    for persona in drawn(10, seed=7): print(persona.text)

Nothing is asked of anybody: the same seed gives the same personas, and no two of one draw are alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from voicebot import yamlfile
from voicebot.errors import BadInput

from . import portrait, settings
from .persona import Persona

MOST = 400
"""More names than that the space does not give."""
_MOST_HABITS = 3


@dataclass(frozen=True)
class Drawn:
    """A new persona."""

    persona: Persona
    text: str
    """Its file."""

    @property
    def stem(self) -> str:
        """The name of its file: 'anna-bell'."""
        return re.sub(r"[^a-z0-9]+", "-", self.persona.name.lower()).strip("-")


def drawn(n: int, seed: int = 0) -> list[Drawn]:
    """`n` personas that differ. Raises BadInput for more than the space holds."""
    if n > MOST:
        raise BadInput(f"--n {n}: at most {MOST} at a time, so that no two have the same name.")
    dice = random.Random(f"personas/{seed}")  # noqa: S311 - dice, not secrets
    people = _people(dice)
    found: dict[str, Drawn] = {}
    while len(found) < n:
        made = _finished(next(people) | {"temperament": _temperament(dice)})
        found.setdefault(portrait.manner(made.persona) + made.persona.voice.engine, made)
    return list(found.values())


def casts(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Who and where only (name, voice, line): for a language model that invents the rest."""
    people = _people(random.Random(f"personas/{seed}"))  # noqa: S311 - dice, not secrets
    return [next(people) for _ in range(n)]


def read(found: Mapping[str, Any]) -> Drawn:
    """A persona from its settings, as its file would have them. Raises BadInput."""
    text = settings.written(dict(found))
    persona = Persona.read(yamlfile.parse(text, f"{found.get('name', 'persona')}"))
    return Drawn(persona, settings.written(settings.differing(persona)))


def _finished(found: dict[str, Any]) -> Drawn:
    persona = read(found).persona
    about = f"{portrait.manner(persona).capitalize()}; line: {portrait.line(persona.line)}."
    return read({**found, "about": about})


def _people(dice: random.Random) -> Iterator[dict[str, Any]]:
    """Names and voices, all different until there are no more; lines by their weights."""
    space = _space()
    voices = [(sex, voice) for sex, of_sex in space["voices"].items() for voice in of_sex]
    names = {
        sex: [f"{first} {last}" for first in space["names"][sex] for last in space["names"]["last"]]
        for sex in space["voices"]
    }
    for each in names.values():
        dice.shuffle(each)
    lines = space["lines"]
    while True:
        dice.shuffle(voices)
        for sex, voice in voices:
            yield {
                "name": names[sex].pop(),
                "voice": _setting(voice, dice),
                "line": dice.choices(list(lines), list(lines.values()))[0],
            }


def _temperament(dice: random.Random) -> dict[str, Any]:
    space = _space()
    count = dice.randint(0, _MOST_HABITS)
    habits = dice.sample(sorted(space["habits"]), count)
    found = {**dice.choice(space["paces"]), "patience": dice.choice(space["patience"])}
    return found | {habit: _setting(space["habits"][habit], dice) for habit in habits}


def _setting(value: Any, dice: random.Random) -> Any:
    """A value of the space: a mapping of values, one to pick, or a span of numbers to draw from."""
    if isinstance(value, dict):
        return dice.choice(value["pick"]) if "pick" in value else {key: _setting(v, dice) for key, v in value.items()}
    if isinstance(value, list) and all(isinstance(number, int) for number in value):
        return dice.randint(*value)
    if isinstance(value, list) and all(isinstance(number, float) for number in value):
        return round(dice.uniform(*value), 1)
    return value


@cache
def _space() -> dict[str, Any]:
    text = (resources.files("voicebot.personas.space") / "drawn.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found
