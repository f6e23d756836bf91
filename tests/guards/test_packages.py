"""What is installed is what lies on disk: the package list of pyproject.toml and the contents of the wheel."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_every_folder_with_code_is_a_listed_package(project: dict[str, Any], rooms: dict[str, Path]) -> None:
    on_disk = {
        ".".join([package, *path.parent.relative_to(folder).parts])
        for package, folder in rooms.items()
        for path in folder.rglob("__init__.py")
    }
    assert sorted(project["tool"]["setuptools"]["packages"]) == sorted(on_disk)


@pytest.fixture(scope="session")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_wheel_holds_every_file_of_every_room(unpacked: Path, rooms: dict[str, Path]) -> None:
    expected = {
        Path(*package.split("."), path.relative_to(folder)).as_posix()
        for package, folder in rooms.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert sorted(expected - packed) == [], "missing from the wheel: add it to package-data in pyproject.toml"
    strays = {name for name in packed - expected if ".dist-info/" not in name}
    assert strays == set()


def test_wheel_puts_nothing_but_voicebot_on_the_path(unpacked: Path) -> None:
    top = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert top == {"voicebot"}


def test_wheel_carries_license_and_notice(unpacked: Path) -> None:
    licenses = {path.name for path in unpacked.glob("*.dist-info/licenses/*")}
    assert licenses == {"LICENSE", "NOTICE"}


def test_command_line_starts_from_the_unpacked_wheel(
    unpacked: Path, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    code = """
import sys
from voicebot.commands import main
print(sys.modules["voicebot.commands"].__file__)
sys.argv = ["voicebot", "--help"]
main()
"""
    done = python(code, env={**os.environ, "PYTHONPATH": str(unpacked)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(unpacked)), "it ran the source tree, not the wheel"
    assert "Usage" in done.stdout
