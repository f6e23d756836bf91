"""Where models lie: a folder for each in `paths.models_dir()`, or anywhere, for a file that is named by its path."""

from __future__ import annotations

import shutil
from pathlib import Path

from voicebot import paths
from voicebot.errors import Unavailable
from voicebot.models.catalogue import Entry, File, entries, entry

PART = ".part"
"""Behind the name of a file that is not complete yet."""
GGUF = ".gguf"


def path_of(model: Entry, file: File | None = None) -> Path:
    """Where a file of a model lies, or will; without `file`, the one that is loaded."""
    return paths.models_dir() / model.name / (file or model.files[0]).name


def part_of(path: Path) -> Path:
    """The file that becomes `path` once it is complete."""
    return path.with_name(path.name + PART)


def on_disk(model: Entry) -> bool:
    return all(path_of(model, file).is_file() for file in model.files)


def here(model: Entry) -> int:
    """Bytes of it that are on disk, complete files and parts."""
    found = [path_of(model, file) for file in model.files]
    found += [part_of(path) for path in found]
    return sum(path.stat().st_size for path in found if path.is_file())


def remove(model: Entry) -> int:
    """Take it off the disk, parts too. The bytes that are free now; 0 when nothing was there."""
    freed = here(model)
    shutil.rmtree(paths.models_dir() / model.name, ignore_errors=True)
    return freed


def located(model: str, root: Path | None = None) -> Path:
    """The file of `model`: a name of the catalogue, or a path relative to `root`, the project. Raises BadInput for an
    unknown name, Unavailable for what is not on disk.
    """
    if reason := why_not(model, root):
        raise Unavailable(f"{reason}.")
    return _file(model, root)


def why_not(model: str, root: Path | None = None) -> str:
    """Why `model` cannot be loaded here and now, as a clause; '' when it can. Raises BadInput for an unknown name."""
    if model.endswith(GGUF):
        path = _file(model, root)
        return "" if path.is_file() else f"there is no model file {paths.shown(path)}"
    return "" if on_disk(entry(model)) else f"{model} is not on disk: voicebot models pull {model}"


def best(default: str) -> str:
    """The model that is meant when none is named: `default`, unless only others of its kind are on disk."""
    kind = entry(default).kind
    there = [model.name for model in entries() if model.kind == kind and on_disk(model)]
    return default if default in there or not there else there[0]


def _file(model: str, root: Path | None) -> Path:
    if model.endswith(GGUF):
        return (root or paths.project_root()) / Path(model).expanduser()
    return path_of(entry(model))
