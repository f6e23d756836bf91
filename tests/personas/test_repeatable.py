"""The same seed is the same call, to the sample: by sound, with the embedded recogniser, voice and flow."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import voicebot
from voicebot.personas.run import simulate

TEMPLATES = Path(voicebot.__file__).parent / "templates"
AT = datetime(2026, 11, 24, 10, 0)
MEASURED = {"lag_ms", "decided_lag_ms", "duration_ms"}
"""What computing really took."""
NAMES = {"call_id", "id", "pid"}
"""What no two calls may share."""


def happened(root: Path, persona: str, seed: int = 1) -> tuple[list[dict[str, Any]], str]:
    """The events of a call, without what is measured or a name, and the digest of its recording."""
    done = simulate(root / "agents/ava.yaml", persona, seed=seed, at=AT, calls_dir=root.parent / "calls")
    assert done.folder is not None, done.broke
    lines = (done.folder / "events.jsonl").read_text().splitlines()
    told = [{key: value for key, value in json.loads(line).items() if key not in MEASURED | NAMES} for line in lines]
    return told, hashlib.sha256((done.folder / "call.wav").read_bytes()).hexdigest()


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    shutil.copytree(TEMPLATES / "dental", tmp_path / "clinic")
    return tmp_path / "clinic"


def differences(
    one: Iterable[dict[str, Any]], other: Iterable[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(a, b) for a, b in zip(one, other, strict=False) if a != b][:3]


def test_the_same_seed_three_times_is_the_same_call_and_another_seed_is_another(clinic: Path) -> None:
    calls = [happened(clinic, "interrupter") for _ in range(3)]
    assert len(calls[0][0]) > 60
    for told, sound in calls[1:]:
        assert differences(calls[0][0], told) == []
        assert (len(told), sound) == (len(calls[0][0]), calls[0][1])
    assert happened(clinic, "interrupter", seed=2)[1] != calls[0][1]


def test_another_process_has_the_same_call(clinic: Path) -> None:
    """With another order of sets, on a machine that is busy with something else at the same time."""
    code = (
        "import json, sys; from pathlib import Path; from tests.personas.test_repeatable import happened;"
        "print(json.dumps(happened(Path(sys.argv[1]), 'corrector')))"
    )
    env = os.environ | {"PYTHONHASHSEED": "99", "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    other = subprocess.Popen([sys.executable, "-c", code, str(clinic)], stdout=subprocess.PIPE, text=True, env=env)
    here = happened(clinic, "corrector")
    there = json.loads(other.communicate(timeout=120)[0])
    assert other.returncode == 0
    assert differences(here[0], there[0]) == []
    assert [here[0], here[1]] == there
