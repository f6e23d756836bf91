"""Imports point one way: commands, studio -> evals -> personas -> voicebot, and downwards inside voicebot."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

ROOMS_ABOVE = {
    "voicebot": {"voicebot.personas", "voicebot.evals", "voicebot.studio", "voicebot.commands"},
    "voicebot.personas": {"voicebot.evals", "voicebot.studio", "voicebot.commands"},
    "voicebot.evals": {"voicebot.studio", "voicebot.commands"},
    "voicebot.studio": {"voicebot.commands"},
    "voicebot.commands": set(),
}
LAYERS = [
    {"errors"},
    {"breaker", "clock", "config", "connections", "events", "paths", "skip_idle", "yamlfile"},
    {"providers"},
    {"graphref", "models", "references", "validation"},
    {"agent", "flow", "latency", "money", "observe", "process", "project"},
    {"brain", "llm", "media", "store", "stt", "transports", "tts", "turns"},
    {"logs", "pipeline", "probes"},
    {"call"},
    {"telephony"},
    {"server"},
]
"""The floors of the engine, the lowest first. A module may import from its own floor and from those below; imports for
the type checker alone may point upwards, as the registry of providers says what it will have opened."""

SCREENS = {"rich", "textual", "typer"}
"""What draws on a terminal; the engine and the simulated callers are libraries without a screen."""


def imported(path: Path, package: str, *, types: bool = True) -> Iterator[tuple[int, str]]:
    """(line, absolute module name) of every import of a file, those inside functions too; `types`: and those inside
    `if TYPE_CHECKING`."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and not types and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -node.level + 1 or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def modules(rooms: dict[str, Path]) -> Iterator[tuple[str, str, Path]]:
    """(room, package the module lies in, file) of every module; templates are data of the user's, not ours."""
    for room, folder in rooms.items():
        for path in sorted(folder.rglob("*.py")):
            inside = path.parent.relative_to(folder).parts
            if "templates" not in inside:
                yield room, ".".join([room, *inside]), path


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_no_room_imports_a_room_above_it(rooms: dict[str, Path]) -> None:
    wrong = [
        f"{path}:{line} {room} must not know {name}"
        for room, package, path in modules(rooms)
        for line, name in imported(path, package)
        if any(is_within(name, above) for above in ROOMS_ABOVE[room])
    ]
    assert wrong == []


def test_every_room_has_its_place_in_the_order(rooms: dict[str, Path]) -> None:
    assert set(rooms) <= set(ROOMS_ABOVE)


def test_engine_imports_point_downwards(rooms: dict[str, Path]) -> None:
    floor = {name: height for height, names in enumerate(LAYERS) for name in names}
    wrong = []
    for room, package, path in modules(rooms):
        here = ".".join([package, path.stem]).split(".")[1]
        if room != "voicebot" or here == "__init__":
            continue
        assert here in floor, f"{path}: say in LAYERS on which floor '{here}' stands"
        for line, name in imported(path, package, types=False):
            there = f"{name}.".split(".")[1] if is_within(name, "voicebot") else ""
            if floor.get(there, 0) > floor[here]:
                wrong.append(f"{path}:{line} '{here}' is below '{there}'")
    assert wrong == []


def test_engine_and_personas_draw_nothing(rooms: dict[str, Path]) -> None:
    wrong = [
        f"{path}:{line} {name}"
        for room, package, path in modules(rooms)
        if room in {"voicebot", "voicebot.personas"}
        for line, name in imported(path, package)
        if name.split(".")[0] in SCREENS
    ]
    assert wrong == []


def test_loading_a_room_loads_none_above_it(
    rooms: dict[str, Path], python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """The same promise at run time: what imports by name at run time escapes the reading above."""
    code = """
import importlib, sys
for line in sys.argv[1:]:
    room, above, names = line.split("|")
    for name in names.split():
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:  # an extra that is not installed here
            assert not error.name.startswith("voicebot"), error
    loaded = set(above.split()) & set(sys.modules)
    assert not loaded, f"{room} loads {sorted(loaded)}"
"""
    names: dict[str, list[str]] = {room: [] for room in ROOMS_ABOVE}
    for room, package, path in modules(rooms):
        names[room].append(package if path.stem == "__init__" else f"{package}.{path.stem}")
    lines = [f"{room}|{' '.join(ROOMS_ABOVE[room])}|{' '.join(names[room])}" for room in ROOMS_ABOVE]
    done = python(code, *lines)
    assert done.returncode == 0, done.stderr
