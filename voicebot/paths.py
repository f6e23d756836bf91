"""Where things are: the folders of a project, and how a path is shown.

A project is a folder with agents in it:

    agents/*.yaml    personas/*.yaml    evals/*.yaml    knowledge/    tools.py
    data/*.json      what the tools keep        calls/<id>/    the record of each call
"""

from __future__ import annotations

import os
from pathlib import Path

AGENTS = "agents"
CALLS = "calls"
DATA = "data"
EVALS = "evals"
PERSONAS = "personas"
MODELS_SETTING = "VOICEBOT_MODELS"
"""The setting that moves the folder of models, for example to a larger disk."""


def project_root(start: Path | None = None) -> Path:
    """The nearest folder, at `start` (default: the current folder) or above it, that has agents; else `start`."""
    start = (start or Path.cwd()).absolute()
    return next((folder for folder in (start, *start.parents) if agent_files(folder)), start)


def root_of(agent_file: Path) -> Path:
    """The project of an agent file: the parent of its `agents/` folder, or the file's own folder."""
    folder = agent_file.absolute().parent
    return folder.parent if folder.name == AGENTS else folder


def agent_files(root: Path) -> list[Path]:
    return yaml_files(root / AGENTS)


def yaml_files(folder: Path) -> list[Path]:
    """The *.yaml and *.yml files in `folder`, sorted; none when there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())


def calls_dir(root: Path) -> Path:
    return root / CALLS


def data_dir(root: Path) -> Path:
    return root / DATA


def evals_dir(root: Path) -> Path:
    return root / EVALS


def personas_dir(root: Path) -> Path:
    return root / PERSONAS


def models_dir() -> Path:
    """Where models lie, for all projects: `VOICEBOT_MODELS`, or the platform's folder for data of programs."""
    if chosen := os.environ.get(MODELS_SETTING):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("voicebot", appauthor=False) / "models"


def phrases_dir() -> Path:
    """Where the sound of what agents say in every call is kept; it may be deleted at any time."""
    import platformdirs

    return platformdirs.user_cache_path("voicebot", appauthor=False) / "phrases"


def shown(path: Path) -> str:
    """`path` as the user would type it: relative to the current folder when it lies beneath it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
