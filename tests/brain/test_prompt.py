"""What a model is told: how to speak, the agent's prompt, what the agent knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.brain import prompt
from voicebot.brain.prompt import KNOWLEDGE_SHARE, LOOKED_UP, PREAMBLE, Document, fits, read, system_prompt
from voicebot.errors import BadInput


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "b.md").write_text("We open at eight.\n")
    (tmp_path / "knowledge" / "a.md").write_text("A cleaning is 90 dollars.\n")
    return tmp_path


def told(root: Path, *patterns: str) -> str:
    return system_prompt("You are Ava.", "en", read(patterns, root))


def test_the_prompt_holds_preamble_agent_and_knowledge_in_this_order(root: Path):
    text = told(root, "knowledge/*.md")
    parts = [PREAMBLE, "You are Ava.", "# knowledge/a.md\nA cleaning is 90 dollars.", "# knowledge/b.md\nWe open"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert places[0] == 0


def test_the_prompt_is_the_same_bytes_every_time_and_everywhere(root: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    elsewhere.mkdir()
    (root / "knowledge").rename(elsewhere / "knowledge")
    (root / "knowledge").symlink_to(elsewhere / "knowledge")
    one, two = (told(place, "knowledge/*.md") for place in (root, elsewhere))
    assert one == two
    assert str(root) not in one


def test_a_file_that_two_patterns_match_is_told_once(root: Path):
    assert told(root, "knowledge/a.md", "knowledge/*.md").count("90 dollars") == 1


def test_knowledge_that_is_looked_up_is_not_in_the_prompt(root: Path):
    text = system_prompt("You are Ava.", "en", read(["knowledge/*.md"], root), looked_up=True)
    assert "90 dollars" not in text
    assert LOOKED_UP in text


def test_knowledge_fits_up_to_its_share_of_the_budget():
    document = Document("a.md", "word " * 1000)
    tokens = next(tokens for tokens in range(100, 10_000, 10) if fits([document], tokens))
    assert 1000 / KNOWLEDGE_SHARE < tokens < 2 * 1000 / KNOWLEDGE_SHARE


def test_knowledge_that_is_not_there_is_an_error(root: Path):
    with pytest.raises(BadInput, match=r"knowledge 'knowlege/\*\.md' matches no file"):
        read(["knowlege/*.md"], root)


def test_a_data_base_of_knowledge_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prompt, "LONGEST_KNOWLEDGE_BYTES", 20)
    with pytest.raises(BadInput, match="Keep what callers ask about"):
        read(["knowledge/*.md"], root)


def test_knowledge_that_is_no_text_is_an_error(root: Path):
    (root / "knowledge" / "c.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"knowledge/c\.md cannot be read as text"):
        read(["knowledge/*.md"], root)
