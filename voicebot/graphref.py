"""What names a LangGraph graph, and where it leads. Nothing of it is executed here.

graph.py:graph          a file of the project and a name in it
my_pkg.graph:build      a module: the project's, in its folder or in src/, or an installed one
langgraph.json:agent    an entry of the table `graphs` in LangGraph's own project file
"""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voicebot.errors import did_you_mean

LANGGRAPH_JSON = "langgraph.json"


@dataclass(frozen=True)
class GraphRef:
    """Where a graph is. `path` is None for an installed module, `module` is '' for a file outside of any package."""

    shown: str
    """The file or module as errors name it."""
    name: str
    path: Path | None
    module: str
    folders: tuple[Path, ...]
    """What must be importable while it is loaded and while it runs."""
    env: tuple[Path | Mapping[str, str], ...] = field(default=())
    """Files or tables of environment variables, as `langgraph dev` would set them."""


def resolve(reference: str, root: Path) -> GraphRef:
    """Where `reference` leads, from the project's folder `root`. Raises ValueError, a sentence for the user."""
    target, colon, name = reference.rpartition(":")
    if not colon or not target or not name:
        known = f"FILE.py:NAME, package.module:NAME or {LANGGRAPH_JSON}:NAME"
        raise ValueError(f"'{reference}' names no graph. Write {known}.")
    if target.endswith(".json"):
        return _of_langgraph_json(target, name, root)
    found = _of_python(target, name, root, _folders(root))
    return replace(found, env=(root / ".env",))


def _of_python(target: str, name: str, root: Path, folders: tuple[Path, ...]) -> GraphRef:
    if not name.isidentifier():
        raise ValueError(f"'{name}' is no name in Python. Write for example graph.py:graph.")
    if target.endswith(".py") or "/" in target:
        ref = _of_file(target, name, root, folders)
    else:
        ref = _of_module(target, name, folders)
    if ref.path:
        _check_name(ref.path, ref.shown, name)
    return ref


def _of_file(target: str, name: str, root: Path, folders: tuple[Path, ...]) -> GraphRef:
    path = (root / target).resolve()
    shown = Path(target).as_posix().removeprefix("./")
    if not path.is_file():
        known = (each.relative_to(root).as_posix() for each in (*root.glob("*.py"), *root.glob("[!.]*/*.py")))
        raise ValueError(f"{shown} does not exist.{did_you_mean(shown, known)}")
    package = list(_packages(path.parent))
    if not package:
        return GraphRef(shown, name, path, "", _unique((*folders, path.parent)))
    module = ".".join([*(folder.name for folder in reversed(package)), path.stem]).removesuffix(".__init__")
    return GraphRef(shown, name, path, module, _unique((*folders, package[-1].parent)))


def _packages(folder: Path) -> Iterator[Path]:
    """The folder and those around it, as far as they are packages."""
    while (folder / "__init__.py").is_file():
        yield folder
        folder = folder.parent


def _of_module(target: str, name: str, folders: tuple[Path, ...]) -> GraphRef:
    parts = target.split(".")
    if not all(part.isidentifier() for part in parts):
        raise ValueError(f"'{target}' is no module. Write my_pkg.graph:build, or graph.py:build for a file.")
    for folder in folders:
        for path in (folder.joinpath(*parts).with_suffix(".py"), folder.joinpath(*parts, "__init__.py")):
            if path.is_file():
                return GraphRef(target, name, path, target, folders)
    own = next((folder for folder in folders if (folder / parts[0]).exists()), None)
    if own or importlib.util.find_spec(parts[0]) is None:
        near = sorted({each.stem if each.is_file() else each.name for folder in folders for each in _modules(folder)})
        hint = "" if own else did_you_mean(parts[0], near)
        raise ValueError(f"there is no module '{target}' in the project's folder, and none is installed.{hint}")
    return GraphRef(target, name, None, target, folders)


def _modules(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.py")
    yield from (init.parent for init in folder.glob("*/__init__.py"))


def _of_langgraph_json(target: str, name: str, root: Path) -> GraphRef:
    path = root / target
    config = _json(path, target)
    graphs = config.get("graphs")
    if not isinstance(graphs, dict) or not graphs:
        raise ValueError(f"{target} has no table 'graphs'.")
    if name not in graphs:
        raise ValueError(f"{target} has no graph '{name}'.{did_you_mean(name, graphs)}")
    entry = graphs[name]
    where = entry.get("path") if isinstance(entry, dict) else entry
    if not isinstance(where, str) or ":" not in where:
        raise ValueError(f"{target}: the graph '{name}' must be written as './file.py:name'.")
    folder = path.parent
    dependencies = [each for each in config.get("dependencies") or () if isinstance(each, str)]
    local = [folder / each for each in dependencies if each.startswith(".")]
    folders = _unique(inner for each in (folder, *local) for inner in _folders(each))
    file, _, attribute = where.rpartition(":")
    ref = _of_python(file, attribute, folder, folders)
    env = config.get("env") or {}
    return replace(ref, env=(folder / env,) if isinstance(env, str) else ({str(key): str(env[key]) for key in env},))


def _json(path: Path, shown: str) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{shown} does not exist.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{shown}:{error.lineno}:{error.colno} is not valid JSON: {error.msg}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{shown} cannot be read: {error}.") from None
    if not isinstance(config, dict):
        raise ValueError(f"{shown} must be a table.")
    return config


def _folders(root: Path) -> tuple[Path, ...]:
    """Where the modules of a project are: in its folder, or in src/."""
    root = root.resolve()
    return (root, root / "src") if (root / "src").is_dir() else (root,)


def _unique(folders: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(folder.resolve() for folder in folders))


def _check_name(path: Path, shown: str, name: str) -> None:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ValueError(f"{shown}:{error.lineno} is not valid Python: {error.msg}.") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{shown} cannot be read: {error}.") from None
    names = set(_bound(tree.body))
    if name not in names and "*" not in names:
        imported = {each for node in tree.body for each in _imported(node)}
        own = (each for each in names - imported if not each.startswith("_"))
        raise ValueError(f"{shown} has no '{name}'.{did_you_mean(name, own)}")


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that a module gives a value, in branches and with blocks, too; '*' when it cannot be told."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        yield from _imported(node)
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                yield child.id
        for inner in ("body", "orelse", "finalbody"):
            yield from _bound(getattr(node, inner, ()))
        for handler in getattr(node, "handlers", ()):
            yield from _bound(handler.body)


def _imported(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
