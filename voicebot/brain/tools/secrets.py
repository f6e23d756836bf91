"""`${NAME}` in an agent file: settings that are filled in when a tool is made ready, and that nobody gets to read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from voicebot import config
from voicebot.agent.tools import VARIABLE
from voicebot.errors import BadInput


class Secrets:
    """The settings that the tool `user` needs, from the environment or `.env` in `root`."""

    def __init__(self, root: Path, user: str) -> None:
        self._root = root
        self._user = user
        self._values: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """`text` with its variables filled in. Raises BadInput for one that is not set."""
        return VARIABLE.sub(lambda match: self._value(match[1]), text)

    def fill_all(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {key: self.fill(text) for key, text in texts.items()}

    def hide(self, text: str) -> str:
        """`text` without any of the values: for everything that comes back from outside."""
        for name, value in self._values.items():
            text = text.replace(value, f"${{{name}}}")
        return text

    def _value(self, name: str) -> str:
        key = config.key(name, self._root)
        if key is None:
            raise BadInput(
                f"{name} is not set, and tool '{self._user}' needs it. Put it into {config.ENV_FILE} of the project as "
                f"{name}=..., or into the environment."
            )
        self._values[name] = key.get_secret_value()
        return self._values[name]
