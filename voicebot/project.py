"""Making a project: a folder with an agent, its tools, its knowledge, simulated callers and checks."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from voicebot import __version__, paths, templates
from voicebot.agent import agent_schema
from voicebot.errors import BadInput

SCHEMA = "agent.schema.json"
_COMPLETION = f"# yaml-language-server: $schema={SCHEMA}\n"
"""Editors with a YAML language server complete and check the agent file by this line."""


def create(folder: Path, template: str) -> list[str]:
    """Make the project `folder` from a template; the paths of its files, relative to it.

    It appears whole or not at all. Raises BadInput when the name is no good, the folder exists and is not empty, or
    it cannot be written.
    """
    folder = folder.expanduser()
    _check(folder)
    files = _files(folder.name, template)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _appear(folder, files)
    except OSError as error:
        raise BadInput(f"cannot make {paths.shown(folder)}: {error.strerror}.") from None
    return sorted(files)


def _check(folder: Path) -> None:
    if not re.fullmatch(r"\w[\w.-]*", folder.name):
        raise BadInput(f"'{folder}' is no name for a project. Use letters, digits, '-' and '_', as in front-desk.")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{paths.shown(folder)} exists and is not a folder. Choose another name.")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadInput(f"{paths.shown(folder)} exists and is not empty. Choose another name.")


def _files(project: str, template: str) -> dict[str, str]:
    """Path in the project -> text."""
    filled = {"{{project}}": project, "{{version}}": __version__}
    files = {}
    for path, text in templates.files(template):
        if Path(path).parent.name == paths.AGENTS:
            text = _COMPLETION + text
        for placeholder, value in filled.items():
            text = text.replace(placeholder, value)
        files[path] = text
    files[f"{paths.AGENTS}/{SCHEMA}"] = json.dumps(agent_schema(), indent=2) + "\n"
    return files


def _appear(folder: Path, files: dict[str, str]) -> None:
    """Write all files aside, then move them into place with one rename."""
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for path, text in files.items():
            target = aside / folder.name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        os.rename(aside / folder.name, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
