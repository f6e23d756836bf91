from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.tts.clauses import Clauses


def split(*chunks: str) -> list[str]:
    clauses = Clauses()
    return [*(clause for chunk in chunks for clause in clauses.feed(chunk)), *clauses.flush()]


TEXT = st.text(alphabet=st.sampled_from("ab Ci.,:;!?-—…\n'\"()3$@"), max_size=60) | st.text(max_size=40)


@given(TEXT, st.lists(st.integers(0, 60), max_size=8))
def test_clauses_join_to_the_text_and_do_not_depend_on_the_chunking(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    chunks = [text[start:end] for start, end in pairwise(bounds)]
    assert "".join(split(text)) == text
    assert split(*chunks) == split(text)


def test_first_clause_leaves_at_a_comma_and_later_ones_at_sentence_ends() -> None:
    assert split("I can offer Tuesday, or Wednesday. Friday is full, sadly, so no. Which one?") == [
        "I can offer Tuesday, ",
        "or Wednesday. ",
        "Friday is full, sadly, so no. ",
        "Which one?",
    ]


def test_first_clause_is_released_before_the_reply_is_complete() -> None:
    clauses = Clauses()
    assert clauses.feed("I can offer Tuesday, ") == []
    assert clauses.feed("o") == ["I can offer Tuesday, "]
    assert clauses.feed("r Wednesday, or Friday") == []


@pytest.mark.parametrize(
    "text",
    [
        "See Dr. Smith",
        "Meet Mr. J. Brown",
        "At 2.30 pm today",
        "It is 3.5 percent",
        "Bring a document e.g. a card",
        "At 10:30 sharp",
        "It costs $1,200.50 now",
        "Go to www.x.com today",
        "Come at 5 p.m. on Monday",
        "It is No. 5 there",
        "Well, yes",
    ],
)
def test_full_stops_and_commas_inside_a_sentence_do_not_cut(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("No. Let me check.", "No. "),
        ("Come at 5 p.m. Is that fine?", "Come at 5 p.m. "),
        ('She said "hello." Then left.', 'She said "hello." '),
        ("Your options are: one, two", "Your options are: "),
        ("We are closed today — sorry", "We are closed today — "),
        ("We are closed today - sorry", "We are closed today - "),
        ("First line\nsecond line", "First line\n"),
        ("Really?! Yes.", "Really?! "),
    ],
)
def test_a_clause_ends_where_a_speaker_would_pause(text: str, first: str) -> None:
    assert split(text)[0] == first


def test_flush_starts_a_new_reply() -> None:
    clauses = Clauses()
    clauses.feed("Hello there. How")
    assert clauses.flush() == ["How"]
    assert clauses.flush() == []
    assert clauses.feed("Let me look it up, and then") == ["Let me look it up, "]
