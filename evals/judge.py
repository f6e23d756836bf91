"""Who judges a simulated call: the scenarios of the project in which its persona calls its agent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from voicebot import paths
from voicebot.personas.persona import Persona

from . import scenario

if TYPE_CHECKING:
    from voicebot.personas.run import Judge


def find(agent_path: Path, persona: Persona) -> Judge | None:
    """The judge for calls of `persona` to the agent; None when no scenario is about them. Raises BadInput."""
    name = persona.path.stem if persona.path else ""
    folder = paths.evals_dir(paths.root_of(agent_path))
    every = [scenario.load(path) for path in paths.yaml_files(folder)]
    apply = [each for each in every if each.agent == agent_path.stem and name in each.persona]

    def judge(root: Path, facts: Mapping[str, str], ended: str) -> list[str]:
        return [problem for each in apply for problem in scenario.check(each, root, facts=facts, ended=ended)]

    return judge if apply else None
