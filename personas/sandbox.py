"""A copy of a project for one simulated call, so that what its tools write never reaches the user's data.

Python files and `data/` are copied; everything else is linked, and `calls/` is left out.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from voicebot import paths


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """The copy's folder, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="voicebot-") as folder:
        copy = Path(folder).resolve() / root.absolute().name
        copy.mkdir()
        for entry in root.absolute().iterdir():
            _bring(entry, copy / entry.name)
        yield copy


def within(copy: Path, agent_file: Path) -> Path:
    """Where the agent file of the copied project is."""
    return copy / agent_file.absolute().relative_to(paths.root_of(agent_file))


def _bring(entry: Path, target: Path) -> None:
    if entry.name in (paths.CALLS, "__pycache__"):
        return
    if entry.name == paths.DATA and entry.is_dir():
        shutil.copytree(entry, target)
    elif entry.suffix == ".py":
        shutil.copy2(entry, target)
    else:
        target.symlink_to(entry)


def stores(root: Path) -> dict[str, Any]:
    """What the project's tools keep: 'data/appointments.json' -> its JSON. A file that does not parse is left out."""
    kept = {}
    for name, content in snapshot(root).items():
        if name.endswith(".json"):
            with suppress(ValueError):
                kept[f"{paths.DATA}/{name}"] = json.loads(content)
    return kept


def snapshot(root: Path) -> dict[str, bytes]:
    """The project's data files as they are now: name and content."""
    folder = paths.data_dir(root)
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
