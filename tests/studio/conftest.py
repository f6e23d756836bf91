"""A project with one agent and one recorded call, and the studio on it without a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.recorded_call import booking
from voicebot import project


@pytest.fixture
def dental(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The dental template; the current folder, so that paths are shown as a user sees them."""
    folder = tmp_path / "dental"
    project.create(folder, "dental")
    booking().write(folder / "calls")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with no project in it."""
    folder = tmp_path / "nothing"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
