from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.commands import demo_project
from voicebot.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A demo's project, made a moment ago."""
    made = tmp_path / "voicebot-demo"
    demo_project.prepare(made, "blank")
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_first_demo_makes_a_marked_project(folder: Path) -> None:
    assert (folder / "agents" / "agent.yaml").is_file()
    assert demo_project.is_ours(folder)
    assert demo_project.template_of(folder) == "blank"


def test_a_second_demo_leaves_it_the_same(folder: Path) -> None:
    before = files(folder)
    demo_project.prepare(folder, "blank")
    assert files(folder) == before


def test_what_somebody_edited_stays(folder: Path) -> None:
    agent = folder / "agents" / "agent.yaml"
    agent.write_text(agent.read_text() + "# mine\n")
    (folder / "notes.txt").write_text("mine")
    demo_project.prepare(folder, "blank")
    assert agent.read_text().endswith("# mine\n")
    assert (folder / "notes.txt").read_text() == "mine"


def test_data_starts_afresh_and_calls_are_kept(folder: Path) -> None:
    fresh = (folder / "data" / "callbacks.json").read_bytes()
    demo_project.keep_data(folder, {"callbacks.json": b"[1]", "more.json": b"[2]"})
    assert (folder / "data" / "callbacks.json").read_bytes() == b"[1]"
    (folder / "calls" / "a").mkdir(parents=True)
    demo_project.prepare(folder, "blank")
    assert (folder / "data" / "callbacks.json").read_bytes() == fresh
    assert (folder / "calls" / "a").is_dir()


def test_an_untouched_file_follows_a_newer_template(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from voicebot import templates

    known = dict(templates.files("blank"))
    monkeypatch.setattr(
        templates,
        "files",
        lambda name: [(path, text + ("# newer\n" if path == "tools.py" else "")) for path, text in known.items()],
    )
    demo_project.prepare(folder, "blank")
    assert (folder / "tools.py").read_text().endswith("# newer\n")


def test_a_file_that_went_missing_comes_back(folder: Path) -> None:
    (folder / "tools.py").unlink()
    demo_project.prepare(folder, "blank")
    assert (folder / "tools.py").is_file()


def test_somebody_elses_folder_is_never_touched(tmp_path: Path) -> None:
    theirs = tmp_path / "voicebot-demo"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match=r"was not made by voicebot demo. Name another place: --out DIR"):
        demo_project.prepare(theirs, "blank")
    assert list(theirs.iterdir()) == [theirs / "thesis.tex"]


def test_a_file_in_the_way_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "voicebot-demo").write_text("years of work")
    with pytest.raises(BadInput):
        demo_project.prepare(tmp_path / "voicebot-demo", "blank")
    assert (tmp_path / "voicebot-demo").read_text() == "years of work"


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    demo_project.prepare(tmp_path / "place", "blank")
    assert demo_project.is_ours(tmp_path / "place")


def test_one_folder_holds_one_template(folder: Path) -> None:
    with pytest.raises(BadInput, match="holds the demo of 'blank'"):
        demo_project.prepare(folder, "dental")


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"template": "blank", "files": 3}'])
def test_a_damaged_marker_is_said_and_nothing_changes(folder: Path, damage: str) -> None:
    (folder / demo_project.MARKER).write_text(damage)
    before = files(folder)
    with pytest.raises(BadInput, match="is damaged"):
        demo_project.prepare(folder, "blank")
    assert files(folder) == before
