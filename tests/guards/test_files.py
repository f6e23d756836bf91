"""Every file can be read in one sitting, has a name that says what it holds, and gives reasons for its exceptions."""

from __future__ import annotations

import re
from pathlib import Path

MAX_LINES = 400
EMPTY_NAMES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore|pragma:|fmt:\s*off)[^#]*")
REASON = re.compile(r"(\w+\W+){2}\w+")
"""At least three words."""

PRIVATE = re.compile(
    r"py[p]i\.org|python[h]osted|registry\.npm[j]s|deb\.deb[i]an\.org|(?<![\w.])/(?:[w]ork|[r]oot|tmp/[w])/"
)
"""Hosts of package registries, and folders that exist on one machine only. Written so that it does not match itself."""


def test_no_python_file_is_longer_than_a_sitting(python_files: list[Path]) -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in python_files}
    assert {path: length for path, length in lengths.items() if length >= MAX_LINES} == {}


def test_no_file_has_a_name_that_says_nothing(python_files: list[Path]) -> None:
    assert [path for path in python_files if EMPTY_NAMES & {path.stem, *path.parts}] == []


def test_every_suppressed_rule_has_its_reason(python_files: list[Path]) -> None:
    """Behind it on the same line (`# noqa: S311 - a seed, no secret`), or in a comment on the line above it."""
    bare = []
    for path in python_files:
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            found = SUPPRESSION.search(line)
            if not found or path == Path(__file__):
                continue
            above = lines[number - 1].partition("#")[2]
            behind = re.sub(r"^#\s*(noqa|type:\s*ignore)(:\s*[A-Z0-9, ]+|\[[\w, -]+\])?", "", line[found.start() :])
            if not REASON.search(behind) and not REASON.search(above):
                bare.append(f"{path}:{number + 1} {line.strip()}")
    assert bare == []


def test_every_rule_switched_off_in_the_project_file_has_its_reason(root: Path) -> None:
    table = (root / "pyproject.toml").read_text().split("[tool.ruff.lint]")[1].split("\n[tool.ruff.lint.flake8")[0]
    rules = [line for line in table.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert len(rules) >= 3
    assert [line for line in rules if not REASON.search(line.partition("#")[2])] == []


def test_no_registry_host_and_no_private_path_is_written_down(source_files: list[Path]) -> None:
    found = [
        f"{path}:{number} {match[0]}"
        for path in source_files
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if (match := PRIVATE.search(line))
    ]
    assert found == []
