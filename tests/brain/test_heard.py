"""What the conversation remembers of a reply is what the caller heard of it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from voicebot.brain.heard import INTERRUPTED, as_heard

CALL = {"name": "book", "args": {}, "id": "1", "type": "tool_call"}


def spread(before: str, after: str) -> list[AnyMessage]:
    """A reply in two pieces with a tool between them."""
    return [
        HumanMessage("book it", id="h"),
        AIMessage(before, id="a1", tool_calls=[CALL]),
        ToolMessage("done", tool_call_id="1", id="t"),
        AIMessage(after, id="a2"),
    ]


def spoken(messages: list[AnyMessage]) -> list[str]:
    return [message.text for message in messages if isinstance(message, AIMessage)]


def marked(messages: list[AnyMessage]) -> list[str]:
    return [message.id or "" for message in messages if INTERRUPTED in message.additional_kwargs]


def test_a_reply_heard_to_the_end_stays_as_it_is():
    messages = spread("One moment.", "It is booked.")
    assert as_heard(messages, "One moment. It is booked.", interrupted=False) == messages
    assert as_heard(messages, "One moment.It is  booked.", interrupted=True) == messages


@pytest.mark.parametrize(
    ("heard", "words", "mark"),
    [
        ("One mom", ["One mom"], "a1"),
        ("One moment.", ["One moment."], "a1"),
        ("One moment. It is", ["One moment.", "It is"], "a2"),
        ("", [""], "a1"),
    ],
)
def test_a_reply_around_a_tool_is_cut_where_the_caller_interrupted(heard: str, words: list[str], mark: str):
    kept = as_heard(spread("One moment.", "It is booked."), heard, interrupted=True)
    assert spoken(kept) == words
    assert marked(kept) == [mark]
    assert [message.id for message in kept][:3] == ["h", "a1", "t"], "what the tool did is not forgotten"


def test_a_reply_of_which_nothing_was_heard_is_dropped():
    kept = as_heard([HumanMessage("hi", id="h"), AIMessage("Hello.", id="a")], "", interrupted=True)
    assert [message.id for message in kept] == ["h"]


def test_the_marker_is_not_part_of_the_words():
    (kept,) = as_heard([AIMessage("Hello there.", id="a")], "Hello", interrupted=True)
    assert kept.content == "Hello"
    assert kept.additional_kwargs == {INTERRUPTED: True}


def test_audio_that_failed_half_way_cuts_without_a_marker():
    kept = as_heard([AIMessage("Hello there.", id="a")], "Hello", interrupted=False)
    assert spoken(kept) == ["Hello"]
    assert not marked(kept)


def test_another_spelling_of_a_reply_that_was_not_interrupted_changes_nothing():
    messages: list[AnyMessage] = [AIMessage("It's **$5**.", id="a")]
    assert as_heard(messages, "It's five dollars.", interrupted=False) == messages


def test_another_spelling_of_an_interrupted_reply_is_remembered_as_it_was_heard():
    kept = as_heard([AIMessage("It's **$5** in all, or $6.", id="a")], "It's five dollars", interrupted=True)
    assert spoken(kept) == ["It's five dollars"]


@pytest.mark.parametrize("seed", range(200))
def test_any_cut_leaves_exactly_the_heard_words(seed: int):
    chance = random.Random(seed)
    sentences = [" ".join(chance.choices(["yes", "no,", "Tuesday", "at", "10:30", "ä…", "it's"], k=9)) for _ in "ab"]
    said = " ".join(sentences)
    cut = chance.randrange(len(said))
    kept = as_heard(spread(*sentences), said[:cut], interrupted=True)
    assert " ".join(" ".join(spoken(kept)).split()) == " ".join(said[:cut].split())
    assert len(marked(kept)) == 1


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4), st.text(max_size=30), st.booleans())
def test_no_words_appear_that_were_not_heard_or_said(pieces: list[str], heard: str, interrupted: bool):
    messages: list[AnyMessage] = [AIMessage(piece, id=str(index)) for index, piece in enumerate(pieces)]
    kept = "".join("".join(spoken(as_heard(messages, heard, interrupted=interrupted))).split())
    said, got = ("".join("".join(each).split()) for each in (pieces, heard))
    assert kept in (said, got, said[: len(got)])
