"""What the guards look at: the source tree as it lies on disk, and the distribution built from it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SOURCE = {"__pycache__", "build", "dist", "calls", "typings"}
"""Folders without source of their own; `typings` holds links to folders that are walked already."""


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def project() -> dict[str, Any]:
    """pyproject.toml, read."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def rooms(project: dict[str, Any]) -> dict[str, Path]:
    """Package name -> folder of the packages that do not lie inside another one's folder."""
    mapped = {name: ROOT / folder for name, folder in project["tool"]["setuptools"]["package-dir"].items()}
    return {"voicebot": ROOT / "voicebot", **mapped}


@pytest.fixture(scope="session")
def source_files() -> list[Path]:
    """Every text file that belongs to the repository, the hidden folders of git and of tools left out."""
    kept = (path for path in ROOT.rglob("*") if path.is_file() and not _is_made(path.relative_to(ROOT)))
    return sorted(path for path in kept if b"\0" not in path.read_bytes()[:4096])


def _is_made(path: Path) -> bool:
    hidden = path.parts[0].startswith(".") and path.parts[0] not in {".ci", ".editorconfig", ".gitignore"}
    return hidden or any(part in NOT_SOURCE or part.endswith((".egg-info", "_cache")) for part in path.parts)


@pytest.fixture(scope="session")
def python_files(source_files: list[Path]) -> list[Path]:
    return [path for path in source_files if path.suffix == ".py"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory, rooms: dict[str, Path]) -> Path:
    """A wheel built from an sdist built from a copy of the tree, so that what the sdist lacks is missed too."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, tree)
    for folder in rooms.values():
        shutil.copytree(folder, tree / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tree / "dist"), str(tree)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return next((tree / "dist").glob("*.whl"))


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -c CODE ARGS` outside the repository, so that only what is installed can be imported."""

    def run(code: str, *args: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *args]
        return subprocess.run(command, capture_output=True, text=True, check=False, **{"cwd": "/", **kwargs})

    return run
