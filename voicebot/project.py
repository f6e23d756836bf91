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
_NAME = re.compile(r"\w[\w.-]*")
_TOOLS = "tools.py"
_NEEDED = {paths.AGENTS, paths.DATA, "knowledge", _TOOLS}
"""What an agent cannot answer without, of a template."""
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


def add_agent(root: Path, name: str, template: str) -> list[str]:
    """Make agents/<name>.yaml from a template in the project `root`; the paths of the new files, relative to it.

    A project without agents gets the whole template. Beside other agents it gets what this one needs to answer: its
    tools, its knowledge and its data, under names of their own where others have taken them. No file that is there is
    changed. Raises BadInput when the name is no good or taken, or the project cannot be written.
    """
    target = root / paths.AGENTS / f"{name}.yaml"
    if not _NAME.fullmatch(name):
        raise BadInput(f"'{name}' is no name for an agent. Use letters, digits, '-' and '_', as in front-desk.")
    if target.exists():
        raise BadInput(f"{paths.shown(target)} is there already. Choose another name.")
    files = _files(root.absolute().name, template)
    if paths.agent_files(root):
        files = _beside_others(root, name, files)
    agent = next(path for path in files if path.startswith(f"{paths.AGENTS}/") and path.endswith(".yaml"))
    files[f"{paths.AGENTS}/{name}.yaml"] = files.pop(agent)
    new = {path: text for path, text in files.items() if not (root / path).exists()}
    try:
        for path, text in new.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write in {paths.shown(root)}: {error.strerror}.") from None
    return sorted(new)


def _beside_others(root: Path, name: str, files: dict[str, str]) -> dict[str, str]:
    """The files of a template that its agent needs, under names that nobody else uses."""
    needed = {path: text for path, text in files.items() if path.partition("/")[0] in _NEEDED}
    tools = root / _TOOLS
    taken = tools.exists() and tools.read_text(encoding="utf-8", errors="replace") != needed.get(_TOOLS)
    own = {_TOOLS: f"{name.replace('-', '_').replace('.', '_')}_tools.py"} if taken else {}
    beside = {}
    for path, text in needed.items():
        folder, _, rest = path.partition("/")
        if folder == paths.AGENTS:
            text = text.replace("knowledge/*.md", f"knowledge/{name}/*.md")
            text = text.replace(f"{_TOOLS}:", f"{own.get(_TOOLS, _TOOLS)}:")
        moved = f"{folder}/{name}/{rest}" if folder == "knowledge" else own.get(path, path)
        beside[moved] = text
    return beside


def _check(folder: Path) -> None:
    if not _NAME.fullmatch(folder.name):
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
