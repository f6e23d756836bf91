"""An agent made from a template in a project that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot import project
from voicebot.agent import Agent
from voicebot.errors import BadInput


def test_beside_others_it_gets_its_own_tools_and_knowledge_and_changes_no_file(tmp_path: Path) -> None:
    root = tmp_path / "dental"
    project.create(root, "dental")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    made = project.add_agent(root, "post-room", "orders")
    assert made == [
        "agents/post-room.yaml", "data/orders.json", "knowledge/post-room/shop.md", "post_room_tools.py",
    ]  # fmt: skip
    assert {path: path.read_bytes() for path in before} == before
    assert Agent.load(root / "agents/post-room.yaml").brain.tools


@pytest.mark.parametrize("template", ["blank", "dental", "orders"])
def test_every_template_can_answer_beside_every_other(tmp_path: Path, template: str) -> None:
    for first in ("blank", "dental", "orders"):
        root = tmp_path / first
        project.create(root, first)
        project.add_agent(root, "second", template)
        Agent.load(root / "agents/second.yaml")


def test_an_empty_folder_gets_the_whole_template(tmp_path: Path) -> None:
    project.add_agent(tmp_path, "desk", "blank")
    assert Agent.load(tmp_path / "agents/desk.yaml")
    assert (tmp_path / "personas").is_dir()
    assert not (tmp_path / "agents/agent.yaml").exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", "with space", ".hidden"])
def test_a_bad_name_makes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no name for an agent"):
        project.add_agent(tmp_path, name, "blank")
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    project.add_agent(tmp_path, "desk", "blank")
    with pytest.raises(BadInput, match="there already"):
        project.add_agent(tmp_path, "desk", "blank")
