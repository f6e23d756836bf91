"""What a model is told: how to speak, the agent's prompt, what the agent knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.brain.prompt import KNOWLEDGE_LIMIT, PREAMBLE, system_prompt
from voicebot.errors import BadInput


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "b.md").write_text("We open at eight.\n")
    (tmp_path / "knowledge" / "a.md").write_text("A cleaning is 90 dollars.\n")
    return tmp_path


def test_the_prompt_holds_preamble_agent_and_knowledge_in_this_order(root: Path):
    text = system_prompt("You are Ava.", "en", ["knowledge/*.md"], root)
    parts = [PREAMBLE, "You are Ava.", "# knowledge/a.md\nA cleaning is 90 dollars.", "# knowledge/b.md\nWe open"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert places[0] == 0


def test_the_prompt_is_the_same_bytes_every_time_and_everywhere(root: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    elsewhere.mkdir()
    (root / "knowledge").rename(elsewhere / "knowledge")
    (root / "knowledge").symlink_to(elsewhere / "knowledge")
    one, two = (system_prompt("You are Ava.", "en", ["knowledge/*.md"], place) for place in (root, elsewhere))
    assert one == two
    assert str(root) not in one


def test_a_file_that_two_patterns_match_is_told_once(root: Path):
    assert system_prompt("", "en", ["knowledge/a.md", "knowledge/*.md"], root).count("90 dollars") == 1


def test_knowledge_that_is_not_there_is_an_error(root: Path):
    with pytest.raises(BadInput, match=r"knowledge 'knowlege/\*\.md' matches no file"):
        system_prompt("", "en", ["knowlege/*.md"], root)


def test_too_much_knowledge_is_an_error_and_not_cut_in_silence(root: Path):
    (root / "knowledge" / "c.md").write_text("x" * KNOWLEDGE_LIMIT)
    with pytest.raises(BadInput, match=f"up to {KNOWLEDGE_LIMIT} fit into the prompt"):
        system_prompt("", "en", ["knowledge/*.md"], root)


def test_knowledge_that_is_no_text_is_an_error(root: Path):
    (root / "knowledge" / "c.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"knowledge/c\.md cannot be read as text"):
        system_prompt("", "en", ["knowledge/*.md"], root)
