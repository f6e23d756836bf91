"""Who can call in a project, as the list shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicebot import clock, paths
from voicebot.errors import BadInput
from voicebot.personas import generate, portrait, sample
from voicebot.personas import persona as personas
from voicebot.personas.persona import Persona
from voicebot.studio.calls.player import Player

TEXT = "hello, I have a question about next Thursday. could you help me with that, please?"
"""What a caller says who has no matter of their own."""


@dataclass(frozen=True)
class Person:
    """One that can call; `wrong` says why it cannot."""

    name: str
    own: bool
    """The project's, not the library's."""
    persona: Persona | None
    wrong: str = ""

    @property
    def manner(self) -> str:
        return portrait.manner(self.persona) if self.persona else self.wrong

    @property
    def voice(self) -> str:
        return portrait.voice(self.persona.voice) if self.persona else ""

    @property
    def line(self) -> str:
        return portrait.line(self.persona.line) if self.persona else ""


def everybody(root: Path) -> list[Person]:
    """The project's own first, then the library's. Blocks."""
    own = {path.stem: path for path in paths.yaml_files(paths.personas_dir(root))}
    shared = {name: path for name, path in personas.library().items() if name not in own}
    return [_person(name, path, name in own) for name, path in (own | shared).items()]


def _person(name: str, path: Path, own: bool) -> Person:
    try:
        return Person(name, own, Persona.load(path))
    except BadInput as error:
        return Person(name, own, None, str(error))


def draw(root: Path, count: int, seed: int) -> tuple[list[str], list[str]]:
    """New personas for the project: names of those that were written, and of those that were there already.

    Raises BadInput, also when they cannot be written.
    """
    folder = paths.personas_dir(root)
    written, there = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in generate.drawn(count, seed):
            path = folder / f"{each.stem}.yaml"
            if path.exists():
                there.append(each.stem)
                continue
            path.write_text(each.text, encoding="utf-8")
            written.append(each.stem)
    except OSError as error:
        raise BadInput(f"{paths.shown(folder)} cannot be written: {error.strerror}.") from None
    return written, there


def voiced(persona: Persona, seed: int = 1) -> tuple[str, Player]:
    """What this caller says, and the sound of it as an agent would hear it. Blocks. Raises VoicebotError."""
    words = sample.opening(persona, seed) if persona.domain else TEXT
    pcm = np.frombuffer(clock.run(sample.heard(persona, words, seed), skip_idle=True), np.int16)
    rate_hz = persona.line.rate_hz
    player = Player(lambda: (pcm, rate_hz), 1000 * len(pcm) / rate_hz)
    player.open()
    return words, player
