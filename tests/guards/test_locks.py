"""The lock files answer to pyproject.toml: every bound is met, the two agree, and no address is spelt in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)
REMEDY = "run: make lock"


def pins(lock: Path) -> dict[str, Version]:
    return {canonicalize_name(pin["name"]): Version(pin["version"]) for pin in PIN.finditer(lock.read_text())}


def unmet(requirements: list[str], locked: dict[str, Version]) -> list[str]:
    """The requirements that the lock lacks or breaks, each with the version it names."""
    wanted = [Requirement(line) for line in requirements]
    found = [(want, locked.get(canonicalize_name(want.name))) for want in wanted]
    return [f"{want} (locked: {pin})" for want, pin in found if pin is None or pin not in want.specifier]


@pytest.fixture
def dev(root: Path) -> dict[str, Version]:
    return pins(root / "requirements" / "dev.txt")


@pytest.fixture
def extras(root: Path) -> dict[str, Version]:
    return pins(root / "requirements" / "extras.txt")


def test_dev_lock_meets_every_bound(project: dict[str, Any], dev: dict[str, Version]) -> None:
    assert unmet(project["project"]["dependencies"] + project["dependency-groups"]["dev"], dev) == [], REMEDY


def test_all_extras_are_locked_together(project: dict[str, Any], extras: dict[str, Version]) -> None:
    optional = project["project"]["optional-dependencies"]
    wanted = [line for lines in optional.values() for line in lines]
    assert len(optional) >= 7
    assert unmet(project["project"]["dependencies"] + wanted, extras) == [], REMEDY


def test_both_locks_name_the_same_versions(dev: dict[str, Version], extras: dict[str, Version]) -> None:
    differing = {name: (dev[name], extras[name]) for name in dev.keys() & extras.keys() if dev[name] != extras[name]}
    assert differing == {}, REMEDY


def test_every_dependency_has_a_lower_bound(project: dict[str, Any]) -> None:
    lines = [
        *project["project"]["dependencies"],
        *(line for lines in project["project"]["optional-dependencies"].values() for line in lines),
        *project["dependency-groups"]["dev"],
    ]
    assert [line for line in lines if ">=" not in line] == [], "an unbounded name is downgraded silently"


@pytest.mark.parametrize("name", ["dev.txt", "extras.txt"])
def test_lock_is_hashed_and_spells_no_address(root: Path, name: str) -> None:
    text = (root / "requirements" / name).read_text()
    assert "://" not in text
    blocks = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 100
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
