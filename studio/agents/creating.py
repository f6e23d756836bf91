"""The name of a new agent, checked while nothing is made yet."""

from __future__ import annotations

import re
from pathlib import Path

from voicebot import paths
from voicebot.studio.look import Ask


class Name(Ask):
    def __init__(self, project: Path, template: str) -> None:
        super().__init__(
            "What is its file called?",
            f"It becomes {paths.AGENTS}/NAME.yaml, made from the template '{template}'.",
            placeholder="front-desk",
            enter="make it",
        )
        self._project = project

    def wrong(self, text: str) -> str:
        name = text.strip()
        if not re.fullmatch(r"\w[\w.-]*", name):
            return "Letters, digits, '-' and '_', as in front-desk."
        if (self._project / paths.AGENTS / f"{name}.yaml").exists():
            return f"{paths.AGENTS}/{name}.yaml is there already."
        return ""
