"""The files of deploy/, read; and what they have to agree with."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(r"\bVOICEBOT_[A-Z_]+\b")
NOT_OURS = {"up": set[str]()}
"""Series that Prometheus makes."""


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


@pytest.fixture(scope="session")
def known() -> dict[str, set[str]]:
    """Every series of /metrics, with the names of its labels."""
    pytest.importorskip("prometheus_client", reason='not installed: pip install "voicebot[server]"')
    from prometheus_client import CollectorRegistry

    from voicebot.observe.metrics import Meters
    from voicebot.server.capacity.board import Board
    from voicebot.server.rest.metrics import Figures

    board = Board.alone()
    board.row(0).begin(1, 0.0)
    registry = CollectorRegistry()
    registry.register(Figures(board))
    return {**NOT_OURS, **_series(registry.collect()), **_made(Meters())}


def _series(families: Iterable[Any]) -> dict[str, set[str]]:
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def _made(meters: Any) -> dict[str, set[str]]:
    """Those of a process that has counted nothing yet, by what they are made as."""
    found: dict[str, set[str]] = {}
    for metric in set(meters.registry._names_to_collectors.values()):
        [family] = metric.describe()
        labels = set(metric._labelnames)
        if family.type == "histogram":
            found |= {f"{family.name}_{end}": labels for end in ("count", "sum")}
            found[f"{family.name}_bucket"] = labels | {"le"}
        else:
            found[f"{family.name}_total" if family.type == "counter" else family.name] = labels
    return found
