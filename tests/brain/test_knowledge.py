from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.brain.knowledge import Knowledge, parse
from voicebot.errors import BadInput

PAGE = """# Practice

Not an answer.

## Where can I park?
## Is there parking?

There's free parking
behind the building.

More about parking that is not spoken.

## What are your prices? <!-- kept short -->

A cleaning is ninety dollars.

## Not answered yet
"""


def test_several_headings_share_one_answer() -> None:
    parking, prices = parse(PAGE, "practice.md")
    assert parking.questions == ("Where can I park?", "Is there parking?")
    assert prices.questions == ("What are your prices?",)


def test_first_paragraph_is_spoken_on_one_line() -> None:
    assert parse(PAGE, "practice.md")[0].spoken == "There's free parking behind the building."


def test_search_ranks_by_words_of_heading_and_text() -> None:
    known = Knowledge(parse(PAGE, "practice.md"))
    assert [hit.passage.questions[0] for hit in known.search("how much for a cleaning")] == ["What are your prices?"]
    assert [hit.passage.questions[0] for hit in known.search("can I park my car")] == ["Where can I park?"]
    assert known.search("purple monkey") == []


def test_rare_words_count_more_than_common_ones() -> None:
    known = Knowledge(parse("## A?\n\nvisit visit visit\n\n## B?\n\nvisit crown\n\n## C?\n\nvisit\n", "x.md"))
    assert known.search("visit crown")[0].passage.questions == ("B?",)


def test_pattern_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no file matches the knowledge pattern 'knowledge/\*\.md'"):
        Knowledge.load(tmp_path, ["knowledge/*.md"])


def test_files_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("## B?\n\nb\n")
    (tmp_path / "a.md").write_text("## A?\n\na\n")
    known = Knowledge.load(tmp_path, ["*.md"])
    assert known.questions == ["A?", "B?"]
    assert [each.source for each in known.passages] == ["a.md", "b.md"]
