"""Importing a user's graph: the project's modules are found, its errors are told with file and line.

A file outside of any package is loaded under a name of its own, since two projects may both have a graph.py; everything
else is Python's usual import, with the project's folders behind everything that is installed.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from dotenv import dotenv_values

from voicebot.errors import BadInput, did_you_mean
from voicebot.graphref import GraphRef


def target(ref: GraphRef) -> Any:
    """What the reference names. Raises BadInput, naming file and line."""
    _set_environment(ref)
    _make_importable(ref.folders)
    module = _module(ref)
    _check_neighbours(ref)
    if not hasattr(module, ref.name):
        raise BadInput(f"{ref.shown} has no '{ref.name}'.{did_you_mean(ref.name, vars(module))}")
    return getattr(module, ref.name)


_ADDED: list[str] = []
"""What was added to sys.path, the latest project first."""


def _make_importable(folders: Sequence[Path]) -> None:
    """Behind everything that is installed: a project's calendar.py must not become Python's."""
    before = [entry for entry in sys.path if entry not in _ADDED]
    _ADDED[:] = dict.fromkeys([*(str(folder) for folder in folders if str(folder) not in before), *_ADDED])
    sys.path[:] = [*before, *_ADDED]
    importlib.invalidate_caches()


def _check_neighbours(ref: GraphRef) -> None:
    """Python knows one module of a name: with two projects in a process, one would get the other's."""
    own = [str(folder) for folder in ref.folders]
    others = [entry for entry in _ADDED if entry not in own]
    for folder in ref.folders:
        for path in (*folder.glob("*.py"), *folder.glob("*/__init__.py")):
            name = path.stem if path.parent == folder else path.parent.name
            loaded = getattr(sys.modules.get(name), "__file__", None) or ""
            if any(Path(loaded).is_relative_to(other) for other in others) and Path(loaded).resolve() != path.resolve():
                raise BadInput(
                    f"{path} and {loaded} are both called '{name}'. One process can hold one of them: rename it."
                )


def _set_environment(ref: GraphRef) -> None:
    """As `langgraph dev` does; what is set already stays."""
    for table in ref.env:
        for key, value in (dotenv_values(table) if isinstance(table, Path) else table).items():
            if value is not None:
                os.environ.setdefault(key, value)


def _module(ref: GraphRef) -> ModuleType:
    try:
        if not ref.module and ref.path:
            return _loose(ref.path)
        module = importlib.import_module(ref.module)
    except (Exception, SystemExit) as error:
        raise complaint(ref, error) from error
    if ref.path and Path(module.__file__ or "").resolve() != ref.path.resolve():
        raise BadInput(f"{ref.module} is another module here: {module.__file__}. Give the project's own another name.")
    return module


def _loose(path: Path) -> ModuleType:
    """A file that is in no package, under a name of its own: two projects may both have a graph.py."""
    source = path.read_bytes()
    digest = hashlib.sha256(str(path.resolve()).encode() + b"\0" + source).hexdigest()[:16]
    name = f"voicebot_graph_{digest}"
    if name not in sys.modules:
        module = sys.modules[name] = ModuleType(name)
        module.__file__ = str(path)
        try:
            exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - the project's own code
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def complaint(ref: GraphRef, error: BaseException) -> BadInput:
    """What went wrong in the project's own code, at its innermost line."""
    place = ref.shown
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{_shown(Path(error.filename), ref)}:{error.lineno}"
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            path = Path(frame.filename)
            if path == ref.path or any(path.is_relative_to(folder) for folder in ref.folders):
                place = f"{_shown(path, ref)}:{frame.lineno}" if "site-packages" not in path.parts else place
    return BadInput(f"{place} {type(error).__name__}: {error}")


def _shown(path: Path, ref: GraphRef) -> str:
    folder = next((folder for folder in ref.folders if path.is_relative_to(folder)), None)
    return path.relative_to(folder).as_posix() if folder else str(path)
