from __future__ import annotations

from pathlib import Path

from voicebot.personas import sandbox


def project(root: Path) -> Path:
    for folder in ("agents", "data", "calls", "knowledge"):
        (root / folder).mkdir(parents=True)
    (root / "tools.py").write_text("HERE = __file__\n")
    (root / "agents/ava.yaml").write_text("name: Ava\n")
    (root / "data/kept.json").write_text("[]")
    (root / "calls/old").mkdir()
    return root


def test_what_is_written_in_the_copy_never_reaches_the_project(tmp_path: Path) -> None:
    root = project(tmp_path / "clinic")
    with sandbox.copied(root) as copy:
        before = sandbox.snapshot(copy)
        (copy / "data/kept.json").write_text("[1]")
        assert sandbox.snapshot(copy) != before
    assert (root / "data/kept.json").read_text() == "[]"
    assert not copy.exists()


def test_tools_find_themselves_in_the_copy(tmp_path: Path) -> None:
    root = project(tmp_path / "clinic")
    with sandbox.copied(root) as copy:
        assert (copy / "tools.py").resolve().parent == copy
        assert sandbox.within(copy, root / "agents/ava.yaml").read_text() == "name: Ava\n"
        assert not (copy / "calls").exists()


def test_the_project_itself_survives_the_end_of_the_copy(tmp_path: Path) -> None:
    root = project(tmp_path / "clinic")
    with sandbox.copied(root):
        pass
    assert (root / "agents/ava.yaml").exists()
    assert (root / "calls/old").exists()
