"""Keys come from the environment or the project's `.env`, and are never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot import config

NAME = "VOICEBOT_TEST_KEY"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(NAME, raising=False)
    return tmp_path


def secret(root: Path) -> str | None:
    key = config.key(NAME, root)
    return key.get_secret_value() if key else None


def test_a_key_that_is_not_set_is_none(root: Path):
    assert config.key(NAME, root) is None
    assert config.key(NAME) is None


@pytest.mark.parametrize("line", [f"{NAME}=abc", f'{NAME}="abc"', f"export {NAME}= abc  # mine"])
def test_the_projects_env_file_is_read(root: Path, line: str):
    (root / ".env").write_text(f"# keys\n{line}\n")
    assert secret(root) == "abc"


def test_the_environment_comes_first(root: Path, monkeypatch: pytest.MonkeyPatch):
    (root / ".env").write_text(f"{NAME}=file\n")
    monkeypatch.setenv(NAME, "environment")
    assert secret(root) == "environment"


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_value_is_not_set(root: Path, empty: str, monkeypatch: pytest.MonkeyPatch):
    (root / ".env").write_text(f"{NAME}={empty}\n")
    assert secret(root) is None
    monkeypatch.setenv(NAME, empty)
    assert secret(root) is None


def test_an_edit_of_the_file_is_seen(root: Path):
    for value in ("one", "another"):
        (root / ".env").write_text(f"{NAME}={value}\n")
        assert secret(root) == value


def test_two_projects_have_their_own_keys(root: Path):
    for name in "ab":
        (root / name).mkdir()
        (root / name / ".env").write_text(f"{NAME}={name}\n")
    assert [secret(root / name) for name in "ab"] == ["a", "b"]


def test_a_key_does_not_show(root: Path):
    (root / ".env").write_text(f"{NAME}=abc\n")
    key = config.key(NAME, root)
    assert "abc" not in f"{key} {key!r}"
