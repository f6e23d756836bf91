"""Settings from outside: the environment first, then the project's `.env`. Keys are never printed."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

ENV_FILE = ".env"


def key(name: str, root: Path | None = None) -> SecretStr | None:
    """The key called `name` ('OPENAI_API_KEY'), from the environment or from `.env` in `root`; None when not set."""
    value = os.environ.get(name) or (_env_file(root / ENV_FILE, _changed(root / ENV_FILE)).get(name) if root else None)
    return SecretStr(value.strip()) if value and value.strip() else None


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=16)
def _env_file(path: Path, changed: int) -> dict[str, str | None]:
    """Read once for each version of the file."""
    return dict(dotenv_values(path)) if changed else {}
