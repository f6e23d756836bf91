"""Settings from outside: the environment first, then the project's `.env`. Keys are never printed.

`secrets()` are the values that must not be told anywhere, whatever they turn up in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

ENV_FILE = ".env"
SHORTEST_SECRET = 8
"""Characters. A shorter value stands in too many innocent words to be taken out of them."""
_SECRET_NAME = re.compile(r"(?:^|_)(?:\w*KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|AUTH)(?:_|$)", re.IGNORECASE)
_secrets: set[str] = set()
_known: frozenset[str] | None = None
"""`_secrets`, as they are given out; None when there are new ones."""


def key(name: str, root: Path | None = None) -> SecretStr | None:
    """The key called `name` ('OPENAI_API_KEY'), from the environment or from `.env` in `root`; None when not set."""
    value = os.environ.get(name) or (_env_file(root / ENV_FILE, _changed(root / ENV_FILE)).get(name) if root else None)
    _learn({name: value})
    return SecretStr(value.strip()) if value and value.strip() else None


def secrets() -> frozenset[str]:
    """The values of all settings that are secret by their name, as far as this process has come upon them: those of the
    environment, and those of each `.env` that was read."""
    global _known
    if _known is None:
        _learn(os.environ)
        _known = frozenset(_secrets)
    return _known


def _learn(settings: Mapping[str, str | None]) -> None:
    global _known
    new = {
        value.strip()
        for name, value in settings.items()
        if value and len(value.strip()) >= SHORTEST_SECRET and _SECRET_NAME.search(name)
    }
    if not new <= _secrets:
        _secrets.update(new)
        _known = None


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=16)
def _env_file(path: Path, changed: int) -> dict[str, str | None]:
    """Read once for each version of the file."""
    settings = dict(dotenv_values(path)) if changed else {}
    _learn(settings)
    return settings
