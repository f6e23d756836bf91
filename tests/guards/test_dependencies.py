"""What the code imports and what pyproject.toml declares are the same packages."""

from __future__ import annotations

import ast
import functools
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BY_OTHERS = {
    "tree-sitter": "Textual imports it to colour YAML in the studio's editor, and does not declare it",
    "tree-sitter-yaml": "the grammar for it, which Textual looks for by name",
    "pytz": "DuckDB imports it to give out a time with a zone, and does not declare it",
}
"""Packages that no line of ours imports, and why they are declared all the same."""


def names(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


def modules(folders: list[Path]) -> dict[str, str]:
    """Top-level module -> a file that imports it, for all that the folders import by absolute name."""
    found: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*.py"))):
        found |= {name.partition(".")[0]: str(path) for name in imports(path)}
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names}


def owners(module: str) -> set[str]:
    """The distributions that install a module; several share a namespace such as `langgraph`."""
    return {canonicalize_name(owner) for owner in _owners().get(module, [module])}


_owners = functools.cache(packages_distributions)


def imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }


@pytest.fixture(scope="module")
def imported(rooms: dict[str, Path]) -> dict[str, str]:
    return {name: path for name, path in modules(list(rooms.values())).items() if name != "voicebot"}


def test_everything_the_package_imports_is_declared(project: dict[str, Any], imported: dict[str, str]) -> None:
    """A package that only comes along with another one goes when that one changes its mind."""
    table = project["project"]
    declared = names(table["dependencies"]).union(*map(names, table["optional-dependencies"].values()))
    assert {name: path for name, path in imported.items() if not owners(name) & declared} == {}


def test_everything_declared_is_imported(project: dict[str, Any], imported: dict[str, str]) -> None:
    used = set(BY_OTHERS).union(*map(owners, imported))
    assert names(project["project"]["dependencies"]) - used == set(), "nobody imports it: remove it"


def test_everything_the_tests_import_is_declared(project: dict[str, Any], root: Path) -> None:
    table, groups = project["project"], project["dependency-groups"]
    lists = [table["dependencies"], *table["optional-dependencies"].values(), *groups.values()]
    declared = {"voicebot"}.union(*map(names, lists))
    folders = [root / "tests", root / "docs", root / "benchmarks"]
    own = {part for folder in folders for path in folder.rglob("*.py") for part in (path.stem, *path.parts)}
    assert {
        name: path for name, path in modules(folders).items() if name not in own and not owners(name) & declared
    } == {}
