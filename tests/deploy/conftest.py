"""The files of deploy/, read; and what they have to agree with."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(r"\bVOICEBOT_[A-Z_]+\b")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def deploy() -> Path:
    return ROOT / "deploy"


def program(name: str, package: str) -> str:
    """The path of a program that this environment or the system may have; skips by name when neither does."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: {package}")
    return found


@pytest.fixture(scope="session")
def hadolint() -> str:
    return program("hadolint", "make extras")


@pytest.fixture(scope="session")
def haproxy() -> str:
    return program("haproxy", "apt-get install haproxy")


@pytest.fixture(scope="session")
def kubectl() -> str:
    return program("kubectl", "the client of Kubernetes")
